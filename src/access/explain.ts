import { readFile } from 'node:fs/promises'
import type { AccessMetadata } from '../metadata/metadata.ts'
import { parseHtpasswd } from './htpasswd.ts'
import { Policy, type PolicySettings, type Question, type Verdict } from './policy.ts'
import { Directory } from './users.ts'

interface Settings extends PolicySettings {
  readonly user?: { readonly username: string; readonly password: string } | undefined
  readonly htpasswdFile?: string | undefined
}

/** What would be decided, and why. Undefined when there is no such user. Rejects when the file of passwords cannot be read. */
export async function explain(
  settings: Settings,
  metadata: AccessMetadata,
  { user, ...asked }: Omit<Question, 'who'> & { user: string | undefined },
): Promise<Verdict | undefined> {
  const directory = await Directory.open({ ...settings, metadata, report: () => {} })
  if (user !== undefined && !directory.isAccount(user)) return undefined
  return new Policy(settings).decide({ ...asked, who: directory.subject(user) }, directory)
}

/** Users who are not in the database: the admin of the settings and those of the file of passwords. */
export async function otherUsers({ user, htpasswdFile }: Settings): Promise<ReadonlySet<string>> {
  const inFile = htpasswdFile === undefined ? [] : parseHtpasswd(await readFile(htpasswdFile, 'utf8')).users.keys()
  return new Set([...(user ? [user.username] : []), ...inFile])
}

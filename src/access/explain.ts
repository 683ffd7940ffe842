import { readFile } from 'node:fs/promises'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { AccessMetadata } from '../metadata/metadata.ts'
import { parseHtpasswd } from './htpasswd.ts'
import { Policy, type PolicySettings, type Question, type Verdict } from './policy.ts'
import { Rules, type ContentRules } from './rules.ts'
import { Directory } from './users.ts'

interface Settings extends PolicySettings {
  readonly user?: { readonly username: string; readonly password: string } | undefined
  readonly htpasswdFile?: string | undefined
}

/** The upstream that a name belongs to. */
export interface AskedUpstream extends ContentRules {
  readonly name: string
  /** Whether it is asked with a login, so that it may show us what it shows nobody else. */
  readonly hasLogin: boolean
}

export interface Asked extends Omit<Question, 'who' | 'hosted'> {
  readonly user: string | undefined
  /** Undefined for what is hosted here. */
  readonly upstream: AskedUpstream | undefined
}

/** What would be decided, and why; `provided`: what has to hold besides, which only a request finds out. */
export type Explained = Omit<Verdict, 'ifThere'> & { readonly provided?: string }

/** Undefined when there is no such user. Rejects when the file of passwords cannot be read. */
export async function explain(
  settings: Settings,
  metadata: AccessMetadata,
  { user, upstream, action, name }: Asked,
): Promise<Explained | undefined> {
  const directory = await Directory.open({ ...settings, metadata, report: () => {} })
  if (user !== undefined && !directory.isAccount(user)) return undefined
  const who = directory.subject(user)
  const policy = new Policy(settings)
  const decide = (action: Question['action']) => policy.decide({ who, action, name, hosted: !upstream }, directory)
  const { allowed, why, ifThere } = decide(action)
  if (!allowed) return { allowed, why }
  const refusal = upstream && refusalOf(upstream, name)
  if (refusal !== undefined) return { allowed: false, why: refusal }
  if (ifThere) return { allowed, why, provided: 'it is there' }
  const forAllThere = action === 'pull' && upstream?.hasLogin && !decide('private').allowed
  return { allowed, why, ...(forAllThere && { provided: `everybody may read it at ${upstream.name}` }) }
}

/** Why nobody may pull from a repository of an upstream, whoever asks. */
function refusalOf(upstream: AskedUpstream, name: string): string | undefined {
  try {
    new Rules(upstream.name, upstream).checkName(name.slice(upstream.name.length + 1) as RepositoryName)
    return undefined
  } catch (error) {
    if (error instanceof RegistryError) return error.message
    throw error
  }
}

/** Users who are not in the database: the admin of the settings and those of the file of passwords. */
export async function otherUsers({ user, htpasswdFile }: Settings): Promise<ReadonlySet<string>> {
  const inFile = htpasswdFile === undefined ? [] : parseHtpasswd(await readFile(htpasswdFile, 'utf8')).users.keys()
  return new Set([...(user ? [user.username] : []), ...inFile])
}

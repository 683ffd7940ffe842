import { readFile } from 'node:fs/promises'
import { parseHtpasswd } from './htpasswd.ts'

interface Settings {
  readonly user?: { readonly username: string; readonly password: string } | undefined
  readonly htpasswdFile?: string | undefined
}

/** Users who are not in the database: the admin of the settings and those of the file of passwords. */
export async function otherUsers({ user, htpasswdFile }: Settings): Promise<ReadonlySet<string>> {
  const inFile = htpasswdFile === undefined ? [] : parseHtpasswd(await readFile(htpasswdFile, 'utf8')).users.keys()
  return new Set([...(user ? [user.username] : []), ...inFile])
}

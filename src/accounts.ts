import { Accounts, otherUsers, type Passwords } from './access/access.ts'
import type { Config } from './config/config.ts'
import type { Metadata } from './metadata/metadata.ts'
import type { Event } from './telemetry/telemetry.ts'

export interface AccountsParts {
  config: Config
  metadata: Metadata
  passwords: Passwords
  isUpstream: (name: string) => boolean
  report: (event: Event) => void
  now: () => number
}

/** Changes of accounts that somebody asks for, from an address: each is told with both. */
export type AccountsFrom = (by: string | undefined, address: string | undefined) => Accounts

/** Rejects when the file of passwords cannot be read. */
export async function accountsOf({ config, ...parts }: AccountsParts): Promise<AccountsFrom> {
  const { access, hosted } = config
  const others = await otherUsers(access)
  return (by, address) =>
    new Accounts({
      ...parts,
      isOtherUser: (name) => others.has(name),
      providers: access.oidc,
      namespaces: hosted.namespaces,
      ...(by !== undefined && { by }),
      ...(address !== undefined && { address }),
    })
}

/** Tells which upstream clients call by a name, if any. */
export function calledUpstream({ upstreams }: Config): (name: string) => string | undefined {
  const called = new Map(upstreams.flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [word, name])))
  return (name) => called.get(name)
}

import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import { Accounts, otherUsers, type Access, type Passwords } from './access/access.ts'
import { adminApi, createAdmin, type AdminOptions } from './admin/admin.ts'
import type { Forwarded } from './api/app.ts'
import { freshUntil, tagPolicies } from './cache/cache.ts'
import type { Config } from './config/config.ts'
import type { Metadata } from './metadata/metadata.ts'
import { splitName, type RepositoryName, type Tag } from './oci/reference.ts'
import type { Event } from './telemetry/telemetry.ts'
import { webApp } from './web/app.tsx'
import { workingsOf, type WorkingParts } from './workings.ts'

export interface AccountsParts {
  config: Config
  metadata: Metadata
  passwords: Passwords
  report: (event: Event) => void
  now: () => number
}

export interface PeopleParts extends WorkingParts, Omit<AccountsParts, 'passwords'> {
  registry: AdminOptions['registry']
  access: Access
  forwarded: Forwarded
  accountsFrom: AdminOptions['accountsFrom']
  signatures: AdminOptions['signatures']
  /** Aborted when the server stops. */
  stopping: AbortSignal
}

/** What is for people: the pages, and the admin API that shows and does the same. */
export function peopleApp(parts: PeopleParts): Hono<{ Bindings: HttpBindings }> {
  const { config, registry, metadata, access, forwarded, stopping, now } = parts
  const withLogin = config.upstreams.filter(({ credentials, accounts }) => credentials || accounts.length > 0)
  const admin = createAdmin({
    registry,
    metadata,
    access,
    hasLogin: (upstream) => withLogin.some(({ name }) => name === upstream),
    hostsOf: (upstream) => config.upstreams.find(({ name }) => name === upstream)?.virtualHosts ?? [],
    freshUntil: freshness(config),
    workings: workingsOf(parts),
    signatures: parts.signatures,
    accountsFrom: parts.accountsFrom,
    report: parts.report,
    now,
  })
  stopping.addEventListener('abort', () => admin.stop(), { once: true })
  const doorway = { admin, access, forwarded }
  const app = new Hono<{ Bindings: HttpBindings }>()
  return app.route('/', adminApi(doorway)).route('/', webApp({ ...doorway, stopping, now }))
}

/** Changes of accounts, each told with who asked for it and from where. */
export async function accountsOf({ config, metadata, passwords, report, now }: AccountsParts) {
  const { access, hosted, upstreams } = config
  const others = await otherUsers(access)
  const upstreamNames = new Set(upstreams.flatMap(({ name, aliases }) => [name, ...aliases]))
  return (by: string | undefined, address: string | undefined) =>
    new Accounts({
      metadata,
      passwords,
      isUpstream: (name) => upstreamNames.has(name),
      isOtherUser: (name) => others.has(name),
      providers: access.oidc,
      namespaces: hosted.namespaces,
      report,
      now,
      ...(by !== undefined && { by }),
      ...(address !== undefined && { address }),
    })
}

/** Until when a cached tag is served without asking, in milliseconds since 1970. */
function freshness({ upstreams }: Config) {
  const policies = new Map(upstreams.map((upstream) => [upstream.name, tagPolicies(upstream)]))
  return (name: RepositoryName, tag: Tag, checkedAt: number): number => {
    const { registry, name: there } = splitName(name)
    const policy = policies.get(registry)?.(there, tag)
    return policy ? freshUntil(policy, checkedAt) : 0
  }
}

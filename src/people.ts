import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import { Accounts, otherUsers, type Access } from './access/access.ts'
import { adminApi, createAdmin, visitorOf, type Admin, type Workings } from './admin/admin.ts'
import { createForwarded } from './api/app.ts'
import { freshUntil, tagPolicies } from './cache/cache.ts'
import type { Config } from './config/config.ts'
import type { RepositoryName, Tag } from './oci/reference.ts'
import type { Rooms } from './rooms.ts'
import { webApp } from './web/app.tsx'
import { workingsOf } from './workings.ts'

/** What pages, the admin API and the command line show and do. */
export async function adminOf(rooms: Rooms, workings: Workings = workingsOf(rooms)): Promise<Admin> {
  const { config, registry, metadata, access, report, now } = rooms
  const { upstreams } = config
  const withLogin = upstreams.filter(({ credentials, accounts }) => credentials || accounts.length > 0)
  const called = new Map(upstreams.flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [word, name])))
  const upstreamOf = (name: string) => called.get(name)
  return createAdmin({
    ...{ registry, metadata, access, workings, report, now },
    hasLogin: (upstream) => withLogin.some(({ name }) => name === upstream),
    freshUntil: freshness(config),
    naming: { configured: config.hosted.namespaces, upstreamOf },
    accountsFrom: await accountsOf(rooms, upstreamOf),
  })
}

export interface PeopleParts {
  config: Config
  access: Access
  admin: Admin
  /** Aborted when the server stops. */
  stopping: AbortSignal
  now: () => number
}

/** What is for people: the pages, and the admin API that shows and does the same. */
export function peopleApp({ config, access, admin, stopping, now }: PeopleParts): Hono<{ Bindings: HttpBindings }> {
  const doorway = { access, forwarded: createForwarded(config) }
  const app = new Hono<{ Bindings: HttpBindings }>()
  return app
    .route(
      '/',
      adminApi(admin, (c) => visitorOf(c, doorway)),
    )
    .route('/', webApp({ ...doorway, admin, stopping, now }))
}

/** Changes of accounts, each told with who asked for it and from where. */
async function accountsOf({ config, metadata, report, now }: Rooms, upstreamOf: (name: string) => string | undefined) {
  const others = await otherUsers(config.access)
  return (by: string | undefined, address: string | undefined) =>
    new Accounts({
      metadata,
      isUpstream: (name) => upstreamOf(name) !== undefined,
      isOtherUser: (name) => others.has(name),
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
    const slash = name.indexOf('/')
    const policy = policies.get(name.slice(0, slash))?.(name.slice(slash + 1) as RepositoryName, tag)
    return policy ? freshUntil(policy, checkedAt) : 0
  }
}

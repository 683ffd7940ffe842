import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Access } from './access/access.ts'
import { adminApi, createAdmin, visitorOf, type Admin, type Workings } from './admin/admin.ts'
import type { Forwarded } from './api/app.ts'
import { freshUntil, tagPolicies } from './cache/cache.ts'
import type { Config } from './config/config.ts'
import { splitName, type RepositoryName, type Tag } from './oci/reference.ts'
import type { Rooms } from './rooms.ts'
import { webApp } from './web/app.tsx'
import { workingsOf } from './workings.ts'

/** What pages, the admin API and the command line show and do. */
export function adminOf(rooms: Rooms, workings: Workings = workingsOf(rooms)): Admin {
  const { config, registry, metadata, access, accountsFrom, calledUpstream, signatures, report, now } = rooms
  const upstreams = new Map(
    config.upstreams.map((upstream) => {
      const hasLogin = upstream.credentials !== undefined || upstream.accounts.length > 0
      return [upstream.name, { ...upstream, hasLogin }]
    }),
  )
  return createAdmin({
    ...{ registry, metadata, access, workings, signatures, accountsFrom, report, now },
    rulesOf: (upstream) => upstreams.get(upstream),
    hostsOf: (upstream) => upstreams.get(upstream)?.virtualHosts ?? [],
    freshUntil: freshness(config),
    naming: { configured: config.hosted.namespaces, upstreamOf: calledUpstream },
  })
}

export interface PeopleParts {
  access: Access
  forwarded: Forwarded
  admin: Admin
  /** Aborted when the server stops. */
  stopping: AbortSignal
  now: () => number
}

/** What is for people: the pages, and the admin API that shows and does the same. */
export function peopleApp({ admin, ...parts }: PeopleParts): Hono<{ Bindings: HttpBindings }> {
  const api = adminApi(admin, (c) => visitorOf(c, parts))
  return new Hono<{ Bindings: HttpBindings }>().route('/', api).route('/', webApp({ ...parts, admin }))
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

import { z } from 'zod'
import type { Admin } from './admin.ts'
import type { CacheView } from './cache.ts'
import type { Routes } from './routes.ts'
import * as schema from './schemas.ts'

const pattern = z.string().meta({ examples: ['docker.io/library/node:20*'] })

/** The cache and what is stored, for administrators. */
export function cacheRoutes(routes: Routes, { cache }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/cache',
      summary: 'What the cache saves, how its upstreams do, what is on the disk',
      input: z.object({ window: z.enum(['day', 'week', 'month']).default('day') }),
      answer: schema.cacheView,
    },
    async (visitor, { window }) => plain(await cache.view(visitor, window)),
  )
  routes.add(
    {
      method: 'get',
      path: '/fills',
      summary: 'Blobs that are being fetched now',
      input: z.object({}),
      answer: z.array(schema.fill),
    },
    (visitor) => cache.fills(visitor),
  )
  routes.add(
    {
      method: 'post',
      path: '/cache/evict',
      summary: 'Evict what limits and idleness ask for; answers with the bytes freed',
      input: z.object({}),
      answer: schema.freed,
    },
    async (visitor) => ({ bytes: await cache.evict(visitor) }),
  )
  routes.add(
    {
      method: 'post',
      path: '/pins',
      summary: 'Never evict cached tags of a pattern',
      input: z.object({ pattern }),
      answer: schema.done,
    },
    async (visitor, { pattern }) => {
      await cache.pin(visitor, pattern)
      return { done: true }
    },
  )
  routes.add(
    {
      method: 'delete',
      path: '/pins',
      summary: 'Take a pin back; those of the settings stay',
      input: z.object({ pattern }),
      answer: z.object({ removed: z.boolean() }),
    },
    async (visitor, { pattern }) => ({ removed: await cache.unpin(visitor, pattern) }),
  )
  routes.add(
    {
      method: 'post',
      path: '/collect',
      summary: 'Remove what nothing reaches from what is hosted; a dry run tells what would go',
      input: z.object({ dryRun: z.boolean().default(false) }),
      answer: z.array(schema.going).readonly(),
    },
    (visitor, { dryRun }) => cache.collect(visitor, dryRun),
  )
}

/** Maps as objects, for JSON. */
function plain(view: CacheView) {
  return {
    ...view,
    totalsOf: Object.fromEntries(view.totalsOf),
    upstreams: view.upstreams.map((upstream) => ({
      ...upstream,
      down: Object.fromEntries(upstream.down),
      budgets: Object.fromEntries(upstream.budgets),
      refused: Object.fromEntries(upstream.refused),
    })),
  }
}

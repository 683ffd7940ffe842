import type { Admin } from './admin.ts'
import type { CacheView } from './cache.ts'
import * as operations from './operations/cache.ts'
import type { Routes } from './routes.ts'
import { isDone } from './schemas.ts'

export function cacheRoutes(routes: Routes, { cache }: Admin): void {
  routes.add(operations.viewCache, async (visitor, { window }) => plain(await cache.view(visitor, window)))
  routes.add(operations.listFills, (visitor) => cache.fills(visitor))
  routes.add(operations.evict, async (visitor) => ({ bytes: await cache.evict(visitor) }))
  routes.add(operations.listPins, (visitor) => cache.pins(visitor))
  routes.add(operations.pin, (visitor, { pattern }) => cache.pin(visitor, pattern).then(isDone))
  routes.add(operations.unpin, async (visitor, { pattern }) => ({ removed: await cache.unpin(visitor, pattern) }))
  routes.add(operations.listSpending, (visitor, { since, limit }) => cache.spending(visitor, since, limit))
  routes.add(operations.collect, (visitor, { dryRun }) => cache.collect(visitor, dryRun))
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

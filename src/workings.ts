import type { Workings } from './admin/admin.ts'
import type { Rooms } from './rooms.ts'

/** For those who look after the registry: what goes on in its rooms, and the work they can be told to do. */
export function workingsOf(rooms: Rooms): Workings {
  const { config, store, cache, hosted, warm, webhooks } = rooms
  const { conditions } = rooms.telemetry
  return {
    warm,
    webhooks: webhooks.hooks,
    fills: () => cache.fillProgress,
    upstreams: () => config.upstreams.map(({ name, url }) => ({ name, url, ...conditions.upstream(name) })),
    problems: () => conditions.problems,
    free: async () => (await store.space()).free,
    limits: config.storage,
    evict: () => cache.evict(),
    evictThese: (digests, upstream) => cache.evictThese(digests, upstream),
    namespacesChanged: () => hosted.refreshNamespaces(),
    collect: (dryRun) => hosted.collector.collect(dryRun),
    openBlob: (digest) => store.open(digest),
    pinTag: (pin) => cache.tagPins.pin(pin),
    releaseTag: (repository, tag) => cache.tagPins.release(repository, tag),
  }
}

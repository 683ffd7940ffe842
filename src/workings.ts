import type { Workings } from './admin/admin.ts'
import type { Cache } from './cache/cache.ts'
import type { Config } from './config/config.ts'
import type { Hosted } from './hosted/hosted.ts'
import type { BlobStore } from './store/store.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { Warm } from './warm/warm.ts'
import type { Webhooks } from './webhooks/webhooks.ts'

export interface WorkingParts {
  config: Config
  store: BlobStore
  cache: Cache
  hosted: Hosted
  telemetry: Telemetry
  warm: Warm
  webhooks: Webhooks
}

/** For those who look after the registry: what goes on in its rooms, and the work they can be told to do. */
export function workingsOf(parts: WorkingParts): Workings {
  const { config, store, cache, hosted, warm, webhooks } = parts
  const { conditions } = parts.telemetry
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
    collect: (dryRun) => hosted.collector.collect(dryRun),
    openBlob: (digest) => store.open(digest),
    pinTag: (pin) => cache.tagPins.pin(pin),
    releaseTag: (repository, tag) => cache.tagPins.release(repository, tag),
  }
}

// A store in front of other registries. Content by digest is kept for ever or until evicted; what a tag means is asked
// again when its freshness is over; and while an upstream fails in any way, what is cached goes on being served.
import type { Digest } from '../oci/digest.ts'
import type { Referrers, RegistryReader, RegistrySource, TagPage } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { BlobStore } from '../store/store.ts'
import {
  Bandwidth,
  defaultFillPolicy,
  Fills,
  type FillPolicy,
  type FillProgress,
  type SlotLimits,
} from '../fills/fills.ts'
import { CachedBlobs, hotBlobs, type CachedBlobsOptions } from './cached-blobs.ts'
import { CachedRegistry } from './cached-registry.ts'
import type { ReportCacheEvent } from './events.ts'
import { hasMinAge, tagPolicies, type FreshnessRules } from './freshness.ts'
import { HotManifests } from './hot-manifests.ts'
import { Housekeeping, type KeepingLimits } from './housekeeping.ts'
import { InUse } from './in-use.ts'
import { Lists } from './lists.ts'
import { Manifests } from './manifests.ts'
import { ReadAhead } from './read-ahead.ts'
import { reconcile } from './sweep.ts'
import { TagPins, type UpstreamPins } from './tag-pins.ts'
import { Tags } from './tags.ts'
import { Withheld } from './withheld.ts'

export type { CacheEvent, Outcome } from './events.ts'
export { freshUntil, tagPolicies, type FreshnessRules } from './freshness.ts'
export type { KeepingLimits } from './housekeeping.ts'

/** What holds for one upstream. */
export interface UpstreamRules extends FreshnessRules {
  /** Longest wait for it while there is an answer here, in milliseconds. */
  patience?: number
  /** Whether an image's other layers are fetched when its first is asked for; they are by default. */
  readAhead?: boolean
  /** Patterns of platforms whose images are read ahead; none for all. */
  platforms?: readonly string[]
  /** The most bytes a second to fetch from it; no limit by default. */
  maxBandwidth?: number | undefined
  /** Whether a client's no-cache makes a tag be checked. */
  noCache?: 'check' | 'ignore'
}

export interface CacheOptions {
  store: BlobStore
  metadata: Metadata
  fill?: Partial<FillPolicy>
  limits?: SlotLimits
  keep?: Partial<KeepingLimits>
  report?: ReportCacheEvent
  now?: () => number
}

const usualPatience = 3_000
/** Tags may be meant to stay as they are for ever, but new ones come: lists are asked for again after this, in milliseconds. */
const longestListed = 3_600_000

/** Everything cached, whatever the upstream: one store, one set of fills. */
export interface Cache {
  /** A registry that caches `reader` under the name of an upstream. */
  registry(upstream: string, reader: RegistrySource, rules: UpstreamRules): RegistryReader
  /** How many blobs are being fetched. */
  readonly fillsInFlight: number
  readonly fillProgress: readonly FillProgress[]
  /** Sets right what a crash, or a hand in the data folder, left; then looks after limits and content in the background. */
  start(): Promise<void>
  /** Evicts what limits ask for now; returns the bytes freed. */
  evict(): Promise<number>
  /** Evicts these blobs of an upstream now, but for those in use; returns the bytes freed. */
  evictThese(digests: readonly Digest[], upstream: string): Promise<number>
  /** Tags that mean what they were set to. */
  readonly tagPins: Pick<TagPins, 'pin' | 'release'>
  /** Compares blobs with their digests now, those that are due; returns how many were wrong. */
  scrub(): Promise<number>
  /** Stops fetching; what has come is kept for the next process. */
  stop(): Promise<void>
}

export function openCache(options: CacheOptions): Cache {
  const { store, metadata, report = () => {}, now = Date.now } = options
  const hotManifests = new HotManifests()
  const fills = new Fills({
    store,
    policy: { ...defaultFillPolicy, ...options.fill },
    limits: options.limits ?? { total: 64, perUpstream: 24 },
    report,
    now,
    stored: async (digest, size) => {
      try {
        await metadata.blobStored(digest, size, now())
      } catch (cause) {
        report({ type: 'storage-failure', message: (cause as Error).message })
      }
      housekeeping.stored(size)
    },
    refused: () => housekeeping.storageFailed(),
  })
  const tagPins = new TagPins(metadata, report)
  const inUse = new InUse()
  const housekeeping = new Housekeeping({
    store,
    metadata,
    limits: { maxSize: Infinity, minFree: 0, pins: [], maxIdle: () => Infinity, ...options.keep },
    inUse: (digest) => inUse.has(digest) || fills.has(digest),
    evictedManifests: (digests) => hotManifests.drop(digests),
    report,
    now,
  })
  const shared = { store, metadata, fills, inUse, hotManifests, hotBlobs: hotBlobs(), tagPins, report, now }
  return {
    registry: (upstream, reader, rules) => registryOf(shared, { upstream, reader }, rules),
    get fillsInFlight() {
      return fills.count
    },
    async start() {
      await reconcile(store, metadata, now())
      await tagPins.load()
      housekeeping.start()
    },
    get fillProgress() {
      return fills.progress
    },
    tagPins,
    evict: () => housekeeping.evict(),
    evictThese: (digests, upstream) => housekeeping.evictThese(digests, upstream),
    scrub: () => housekeeping.scrub(),
    async stop() {
      housekeeping.stop()
      await fills.stop()
    },
  }
}

/** What the registries of all upstreams have in common. */
interface SharedParts extends Pick<CachedBlobsOptions, 'store' | 'metadata' | 'fills' | 'inUse' | 'hotBlobs'> {
  hotManifests: HotManifests
  tagPins: TagPins
  report: ReportCacheEvent
  now: () => number
}

function registryOf(
  { hotManifests, tagPins, ...shared }: SharedParts,
  { upstream, reader }: { upstream: string; reader: RegistrySource },
  rules: UpstreamRules,
): RegistryReader {
  const { metadata, now } = shared
  const { patience = usualPatience, maxBandwidth } = rules
  const withheld = new Withheld({ upstream, metadata, now, used: hasMinAge(rules) })
  const pins: UpstreamPins = { digestOf: (name, tag) => tagPins.digestOf({ registry: upstream, name }, tag) }
  const own = { ...shared, upstream, reader, patience, withheld, pins }
  const manifests = new Manifests({ ...own, hot: hotManifests })
  const blobs = new CachedBlobs({
    ...own,
    bandwidth: maxBandwidth === undefined ? undefined : new Bandwidth(maxBandwidth),
  })
  const forcible = rules.noCache !== 'ignore'
  const freshness = rules.freshness === 'pinned' ? longestListed : Math.min(rules.freshness, longestListed)
  return new CachedRegistry({
    ...own,
    manifests,
    forcible,
    tags: new Tags({ ...own, forcible, policies: tagPolicies(rules), manifests, hot: hotManifests }),
    blobs,
    readAhead: rules.readAhead === false ? undefined : new ReadAhead((blob) => blobs.fillAhead(blob), rules.platforms),
    tagLists: new Lists<TagPage>({ ...own, kind: 'tags', freshness }),
    referrers: new Lists<Referrers>({ ...own, kind: 'referrers', freshness }),
  })
}

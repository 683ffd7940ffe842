// A store in front of other registries. Content by digest is kept for ever or until evicted; what a tag means is asked
// again when its freshness is over; and while an upstream fails in any way, what is cached goes on being served.
import type { Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Reference, RepositoryName, Tag } from '../oci/reference.ts'
import type { Blob, BlobHead, Manifest, Referrers, RegistryReader, Soon, TagPage, TagQuery } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { BlobStore } from '../store/store.ts'
import { Bandwidth } from './bandwidth.ts'
import { CachedBlobs, hotBlobs } from './cached-blobs.ts'
import type { Outcome, ReportCacheEvent } from './events.ts'
import { defaultFillPolicy, type FillPolicy } from './fill-policy.ts'
import { Fills } from './fills.ts'
import { freshnessBy, type FreshnessRules } from './freshness.ts'
import { HotManifests } from './hot-manifests.ts'
import { Housekeeping, type KeepingLimits } from './housekeeping.ts'
import { InUse } from './in-use.ts'
import { Lists } from './lists.ts'
import { Manifests } from './manifests.ts'
import { ReadAhead } from './read-ahead.ts'
import type { SlotLimits } from './slots.ts'
import { reconcile } from './sweep.ts'

export type { CacheEvent, Outcome } from './events.ts'
export { defaultFillPolicy, type FillPolicy } from './fill-policy.ts'
export type { FreshnessRules } from './freshness.ts'
export type { KeepingLimits } from './housekeeping.ts'

export interface CacheOptions {
  store: BlobStore
  metadata: Metadata
  fill?: Partial<FillPolicy>
  limits?: SlotLimits
  keep?: Partial<KeepingLimits>
  report?: ReportCacheEvent
  now?: () => number
}

/** What holds for one upstream. */
export interface UpstreamRules extends FreshnessRules {
  /** Whether an image's other layers are fetched when its first is asked for; they are by default. */
  readAhead?: boolean
  /** The most bytes a second to fetch from it; no limit by default. */
  maxBandwidth?: number | undefined
}

/** Everything cached, whatever the upstream: one store, one set of fills. */
export interface Cache {
  /** A registry that caches `reader` under the name of an upstream. */
  registry(upstream: string, reader: RegistryReader, rules: UpstreamRules): RegistryReader
  /** How many blobs are being fetched. */
  readonly fillsInFlight: number
  /** Sets right what a crash, or a hand in the data folder, left; then looks after limits and content in the background. */
  start(): Promise<void>
  /** Evicts what limits ask for now; returns the bytes freed. */
  evict(): Promise<number>
  /** Compares blobs with their digests now, those that are due; returns how many were wrong. */
  scrub(): Promise<number>
  /** Stops fetching; what has come is kept for the next process. */
  stop(): Promise<void>
}

export function openCache(options: CacheOptions): Cache {
  const { store, metadata, report = () => {}, now = Date.now } = options
  const hotManifests = new HotManifests()
  const blobsInMemory = hotBlobs()
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
  const inUse = new InUse()
  const housekeeping = new Housekeeping({
    store,
    metadata,
    limits: { maxSize: Infinity, minFree: 0, pins: [], maxIdle: () => Infinity, ...options.keep },
    inUse: (digest) => inUse.has(digest) || fills.has(digest),
    report,
    now,
  })
  return {
    registry(upstream, reader, rules) {
      const shared = { upstream, reader, metadata, report, now }
      const freshness = freshnessBy(rules)
      const bandwidth = rules.maxBandwidth === undefined ? undefined : new Bandwidth(rules.maxBandwidth)
      const blobs = new CachedBlobs({ ...shared, store, fills, inUse, hotBlobs: blobsInMemory, bandwidth })
      const list = (kind: 'tags' | 'referrers') => ({
        freshness: rules.freshness,
        now,
        found: (outcome: Outcome) => report({ type: 'lookup', upstream, kind, outcome }),
      })
      return new CachedRegistry({
        upstream,
        reader,
        metadata,
        manifests: new Manifests({ ...shared, freshness, hot: hotManifests }),
        blobs,
        readAhead: rules.readAhead === false ? undefined : new ReadAhead((blob) => blobs.fillAhead(blob)),
        tags: new Lists<TagPage>(list('tags')),
        referrers: new Lists<Referrers>(list('referrers')),
      })
    },
    get fillsInFlight() {
      return fills.count
    },
    async start() {
      await reconcile(store, metadata, now())
      housekeeping.start()
    },
    evict: () => housekeeping.evict(),
    scrub: () => housekeeping.scrub(),
    async stop() {
      housekeeping.stop()
      await fills.stop()
    },
  }
}

interface Parts {
  upstream: string
  reader: RegistryReader
  metadata: Metadata
  manifests: Manifests
  blobs: CachedBlobs
  readAhead: ReadAhead | undefined
  tags: Lists<TagPage>
  referrers: Lists<Referrers>
}

class CachedRegistry implements RegistryReader {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  getManifest(name: RepositoryName, reference: Reference): Soon<Manifest> {
    const found = this.#parts.manifests.get(name, reference)
    return found instanceof Promise ? found.then((manifest) => this.#served(name, manifest)) : this.#served(name, found)
  }

  // A HEAD fetches the manifest: whoever asks for it is about to pull it, and the GET that follows is then a hit.
  headManifest(name: RepositoryName, reference: Reference): Soon<Manifest> {
    return this.#parts.manifests.get(name, reference)
  }

  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange): Soon<Blob> {
    this.#parts.readAhead?.blobAsked(name, digest)
    return this.#parts.blobs.get(name, digest, range)
  }

  #served(name: RepositoryName, manifest: Manifest): Manifest {
    this.#parts.readAhead?.manifestServed(name, manifest)
    return manifest
  }

  headBlob(name: RepositoryName, digest: Digest): Promise<BlobHead> {
    return this.#parts.blobs.head(name, digest)
  }

  async listTags(name: RepositoryName, query: TagQuery): Promise<TagPage> {
    const { tags, reader, metadata, upstream } = this.#parts
    const offline = async () => {
      const known = await metadata.listTags({ registry: upstream, name })
      return known.length > 0 ? { tags: known, more: false } : undefined
    }
    return page((await tags.get(name, () => reader.listTags(name, {}), offline)).tags, query)
  }

  listReferrers(name: RepositoryName, digest: Digest): Promise<Referrers> {
    const { referrers, reader } = this.#parts
    const ask = () => reader.listReferrers(name, digest)
    return referrers.get(`${name}@${digest}`, ask, () => Promise.resolve(undefined))
  }
}

/** The tags after `last`, at most `n`; `all` is in lexical order. */
function page(all: Tag[], { n, last }: TagQuery): TagPage {
  const after = last === undefined ? all : all.filter((tag) => tag > last)
  const tags = after.slice(0, n)
  return { tags, more: n !== undefined && n > 0 && after.length > n }
}

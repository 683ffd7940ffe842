// A store in front of other registries. Content by digest is kept for ever or until evicted; what a tag means is asked
// again when its freshness is over; and while an upstream fails in any way, what is cached goes on being served.
import { algorithmOf, digestOf, type Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type {
  Asker,
  Blob,
  BlobHead,
  Manifest,
  Referrers,
  RegistryReader,
  RegistrySource,
  Soon,
  TagMoment,
  TagPage,
  TagQuery,
} from '../oci/registry.ts'
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
import { CachedBlobs, hotBlobs } from './cached-blobs.ts'
import type { ReportCacheEvent } from './events.ts'
import { hasMinAge, tagPolicies, type FreshnessRules } from './freshness.ts'
import { HotManifests } from './hot-manifests.ts'
import { Housekeeping, type KeepingLimits } from './housekeeping.ts'
import { InUse } from './in-use.ts'
import { Lists } from './lists.ts'
import { Manifests } from './manifests.ts'
import { ReadAhead } from './read-ahead.ts'
import { reconcile } from './sweep.ts'
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
    evictedManifests: (digests) => hotManifests.drop(digests),
    report,
    now,
  })
  return {
    registry(upstream, reader, rules) {
      const { patience = usualPatience } = rules
      const withheld = new Withheld({ upstream, metadata, now, used: hasMinAge(rules) })
      const shared = { upstream, reader, metadata, report, now, patience, withheld }
      const manifests = new Manifests({ ...shared, hot: hotManifests })
      const bandwidth = rules.maxBandwidth === undefined ? undefined : new Bandwidth(rules.maxBandwidth)
      const blobs = new CachedBlobs({ ...shared, store, fills, inUse, hotBlobs: blobsInMemory, bandwidth })
      const forcible = rules.noCache !== 'ignore'
      const freshness = rules.freshness === 'pinned' ? longestListed : Math.min(rules.freshness, longestListed)
      return new CachedRegistry({
        upstream,
        reader,
        metadata,
        withheld,
        manifests,
        forcible,
        tags: new Tags({
          ...shared,
          forcible,
          policies: tagPolicies(rules),
          manifests,
          hot: hotManifests,
        }),
        blobs,
        readAhead:
          rules.readAhead === false ? undefined : new ReadAhead((blob) => blobs.fillAhead(blob), rules.platforms),
        tagLists: new Lists<TagPage>({ ...shared, kind: 'tags', freshness }),
        referrers: new Lists<Referrers>({ ...shared, kind: 'referrers', freshness }),
      })
    },
    get fillsInFlight() {
      return fills.count
    },
    async start() {
      await reconcile(store, metadata, now())
      housekeeping.start()
    },
    get fillProgress() {
      return fills.progress
    },
    evict: () => housekeeping.evict(),
    evictThese: (digests, upstream) => housekeeping.evictThese(digests, upstream),
    scrub: () => housekeeping.scrub(),
    async stop() {
      housekeeping.stop()
      await fills.stop()
    },
  }
}

interface Parts {
  upstream: string
  reader: RegistrySource
  metadata: Metadata
  withheld: Withheld
  manifests: Manifests
  tags: Tags
  /** Whether askers may have what is fresh checked (no-cache). */
  forcible: boolean
  blobs: CachedBlobs
  readAhead: ReadAhead | undefined
  tagLists: Lists<TagPage>
  referrers: Lists<Referrers>
}

class CachedRegistry implements RegistryReader {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const found = this.#find(name, reference, asker)
    return found instanceof Promise ? found.then((manifest) => this.#served(name, manifest)) : this.#served(name, found)
  }

  #find(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const { tags, manifests, withheld } = this.#parts
    if (isTag(reference)) return tags.get(name, reference, asker)
    const clear = !withheld.used || (algorithmOf(reference) === 'sha256' && manifests.isHot(name, reference))
    if (!clear) return this.#findUnlessNew(name, reference, asker)
    return manifests.get(name, reference, asker)
  }

  /** What is not here may be held back as soon as it is known which tag it belongs to; it is held back by its sha256. */
  async #findUnlessNew(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Manifest> {
    const { tags, manifests, withheld } = this.#parts
    const usual = algorithmOf(digest) === 'sha256'
    if (!(await manifests.find(name, digest))) {
      await tags.lookForNew(name, asker)
      if (!usual) await withheld.checkUnnamed(name, digest)
    }
    const manifest = await manifests.get(name, digest, asker)
    if (!usual) await withheld.check(name, digestOf(manifest.bytes))
    return manifest
  }

  // A HEAD fetches the manifest: whoever asks for it is about to pull it, and the GET that follows is then a hit.
  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    return this.#find(name, reference, asker)
  }

  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Soon<Blob> {
    const held = this.#checkHeld(name, digest, asker)
    const get = () => {
      // What Berth reads for its own sake is no pull; what is fetched in the background, layer by layer, needs nothing ahead.
      if (asker && !asker.background) this.#parts.readAhead?.blobAsked(name, digest)
      return this.#parts.blobs.get(name, digest, range, asker)
    }
    return held ? held.then(get) : get()
  }

  /** Rejects for a blob that is held back; undefined where there is no minAge. */
  #checkHeld(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> | undefined {
    return this.#parts.withheld.used ? this.#checkUsed(name, digest, asker) : undefined
  }

  async #checkUsed(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> {
    const { metadata, upstream, tags, withheld } = this.#parts
    const isNamed = async () => (await metadata.findBlobSize({ registry: upstream, name }, digest)) !== undefined
    if (!(await isNamed())) {
      await tags.lookForNew(name, asker)
      // A child of what is held back was not fetched, so that its blobs are not known.
      if (!(await isNamed())) await withheld.checkUnnamed(name, digest)
    }
    await withheld.check(name, digest)
  }

  #served(name: RepositoryName, manifest: Manifest): Manifest {
    this.#parts.readAhead?.manifestServed(name, manifest)
    return manifest
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead> {
    await this.#checkHeld(name, digest, asker)
    return this.#parts.blobs.head(name, digest, asker)
  }

  async listTags(name: RepositoryName, query: TagQuery, asker?: Asker): Promise<TagPage> {
    const { tagLists, reader, metadata, upstream } = this.#parts
    const offline = async () => {
      const known = await metadata.listTags({ registry: upstream, name })
      return known.length > 0 ? { tags: known, more: false } : undefined
    }
    const ask = () => reader.listTags(name, {}, asker)
    return page((await tagLists.get(name, '', { ask, offline, forced: this.#isForced(asker) })).tags, query)
  }

  listReferrers(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Referrers> {
    const { referrers, reader } = this.#parts
    const ask = () => reader.listReferrers(name, digest, asker)
    return referrers.get(name, digest, { ask, forced: this.#isForced(asker) })
  }

  tagHistory(name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    return this.#parts.tags.history(name, tag)
  }

  #isForced(asker: Asker | undefined): boolean {
    return this.#parts.forcible && asker?.noCache === true
  }
}

/** The tags after `last`, at most `n`; `all` is in lexical order. */
function page(all: Tag[], { n, last }: TagQuery): TagPage {
  const after = last === undefined ? all : all.filter((tag) => tag > last)
  const tags = after.slice(0, n)
  return { tags, more: n !== undefined && n > 0 && after.length > n }
}

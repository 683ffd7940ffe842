import type { Digest } from '../oci/digest.ts'
import type { EvictionCandidate, Metadata } from '../metadata/metadata.ts'
import type { BlobStore } from '../store/store.ts'
import type { ReportCacheEvent } from './events.ts'
import { chooseEvictions, type EvictionRules } from './eviction.ts'
import { pinnedContent } from './pins.ts'

export interface KeepingLimits {
  /** The most bytes of cached blobs. */
  maxSize: number
  /** Bytes to be left free on the disk. */
  minFree: number
  /** Patterns of `upstream/repository:tag` that are never evicted. */
  pins: readonly string[]
  /** How long something of an upstream may lie unused, in milliseconds; Infinity where it may for ever. */
  maxIdle: (upstream: string) => number
}

export interface HousekeepingOptions {
  store: BlobStore
  metadata: Metadata
  limits: KeepingLimits
  /** What is being read or filled. */
  inUse: (digest: Digest) => boolean
  /** Called with manifests that were evicted. */
  evictedManifests: (digests: ReadonlySet<Digest>) => void
  report: ReportCacheEvent
  now: () => number
}

/** Between two rounds of looking after the store, in milliseconds; a full store is looked after sooner. */
const roundEvery = 60_000
/** Manifests are small and make stale pulls possible: they have a share of their own, a hundredth of the blobs', but at least this. */
const leastManifestBytes = 64 * 1024 * 1024
/** A blob's bytes are compared with its digest this often, at this rate: a disk's slow decay is found, and no pull suffers. */
const checkEvery = 14 * 24 * 3_600_000
const checkRate = 32 * 1024 * 1024
const batch = 2_000
/** After so many new bytes the limits are looked at, without waiting for the next round. */
const stroke = 256 * 1024 * 1024

/** Keeps the cache within its limits and its content right, in the background. Each step returns what it did. */
export class Housekeeping {
  readonly #options: HousekeepingOptions
  #round: NodeJS.Timeout | undefined
  #evicting: Promise<number> | undefined
  #scrubbing: Promise<number> | undefined
  #newBytes = 0
  #stopped = false

  constructor(options: HousekeepingOptions) {
    this.#options = options
  }

  start(): void {
    this.#round = setInterval(() => void this.#lookAfter(), roundEvery).unref()
    void this.#lookAfter()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#round)
  }

  /** Told of each blob that was stored. */
  stored(bytes: number): void {
    this.#newBytes += bytes
    if (this.#newBytes < Math.min(stroke, this.#options.limits.maxSize / 20)) return
    this.#newBytes = 0
    void this.#lookAfter()
  }

  /** Told when the disk refused: making room comes first. */
  storageFailed(): void {
    void this.#lookAfter()
  }

  /** Evicts what limits and idleness ask for. Returns the bytes freed. One run at a time, shared by all who ask. */
  evict(): Promise<number> {
    return (this.#evicting ??= this.#evictAll().finally(() => (this.#evicting = undefined)))
  }

  /** Evicts these blobs now, but for those in use or held by a hosted repository. Returns the bytes freed. */
  async evictThese(digests: readonly Digest[], upstream: string): Promise<number> {
    let freed = 0
    for (const digest of digests) {
      const stored = await this.#options.metadata.findStoredBlob(digest)
      if (stored) freed += await this.#evictBlob({ ...stored, upstreams: [upstream] })
    }
    return freed
  }

  /** Compares blobs that were not checked for long with their digests; wrong ones are put aside. Returns how many were. */
  async scrub(): Promise<number> {
    const { metadata, now } = this.#options
    let wrong = 0
    for (;;) {
      const digest = this.#stopped ? undefined : await metadata.nextToCheck(now() - checkEvery)
      if (!digest) return wrong
      if (!(await this.#check(digest))) wrong++
    }
  }

  async #lookAfter(): Promise<void> {
    try {
      await this.evict()
      await (this.#scrubbing ??= this.scrub().finally(() => (this.#scrubbing = undefined)))
    } catch (cause) {
      this.#options.report({ type: 'storage-failure', message: `looking after the store: ${(cause as Error).message}` })
    }
  }

  async #evictAll(): Promise<number> {
    const { limits, metadata, evictedManifests } = this.#options
    const pinned = await pinnedContent([...limits.pins, ...(await metadata.pins.list())], metadata)
    const freed = await this.#evictBlobs(pinned)
    const share = { maxBytes: Math.max(leastManifestBytes, limits.maxSize / 100), toFree: 0 }
    const manifests = await metadata.listEvictableManifests(batch)
    const evicted = new Set<Digest>()
    for (const { digest } of this.#choose(manifests, await metadata.manifestBytes(), pinned, share)) {
      await metadata.removeManifest(digest)
      evicted.add(digest)
    }
    if (evicted.size > 0) evictedManifests(evicted)
    return freed
  }

  /** In batches, each larger where the ones that have lain longest must stay. */
  async #evictBlobs(pinned: Set<Digest>): Promise<number> {
    const { limits, metadata, store } = this.#options
    let freed = 0
    for (let limit = batch; ; limit *= 2) {
      const { free } = await store.space()
      const bytes = await metadata.evictableBytes()
      const room = { maxBytes: limits.maxSize, toFree: Math.max(0, limits.minFree - free) }
      const blobs = await metadata.listEvictableBlobs(limit)
      for (const blob of this.#choose(blobs, bytes, pinned, room)) freed += await this.#evictBlob(blob)
      const isOver = bytes - freed > limits.maxSize || room.toFree > freed
      if (this.#stopped || !isOver || blobs.length < limit) return freed
    }
  }

  #choose(
    candidates: EvictionCandidate[],
    bytes: number,
    pinned: Set<Digest>,
    room: Pick<EvictionRules, 'maxBytes' | 'toFree'>,
  ): EvictionCandidate[] {
    const { limits, inUse, now } = this.#options
    const mustStay = (digest: Digest) => pinned.has(digest) || inUse(digest)
    return chooseEvictions(candidates, bytes, { ...room, maxIdle: limits.maxIdle, mustStay, now: now() })
  }

  async #evictBlob({ digest, size, upstreams }: EvictionCandidate): Promise<number> {
    const { store, metadata, inUse, report } = this.#options
    const evicted = await store.exclusively(digest, async () => {
      // Since it was chosen somebody may have begun to read it, or have pushed it to a hosted repository.
      if (inUse(digest) || (await metadata.hosted.listHolders(digest)).length > 0) return false
      await metadata.blobRemoved(digest)
      await store.remove(digest)
      return true
    })
    if (!evicted) return 0
    report({ type: 'evicted', upstream: upstreams[0] ?? 'none', digest, bytes: size })
    return size
  }

  async #check(digest: Digest): Promise<boolean> {
    const { store, metadata, now, report } = this.#options
    const right = await store.check(digest, checkRate)
    if (right) await metadata.blobChecked(digest, now())
    else await metadata.blobRemoved(digest)
    if (right !== false) return true
    await store.quarantine(digest)
    const message = `stored ${digest} is not what its digest says: put aside, to be fetched again`
    report({ type: 'wrong-content', upstream: 'none', digest, message })
    return false
  }
}

import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Asker, Blob, BlobHead, RegistryReader, Soon } from '../oci/registry.ts'
import type { Metadata, RepositoryKey } from '../metadata/metadata.ts'
import { StoredBlobReader, type BlobStore, type StoredBlob } from '../store/store.ts'
import {
  FillBlob,
  passThrough,
  StorageFailure,
  type Bandwidth,
  type Fill,
  type Fills,
  type FillSource,
} from '../fills/fills.ts'
import type { Outcome, ReportCacheEvent } from './events.ts'
import type { InUse } from './in-use.ts'
import { MemoryBlob } from './memory-blob.ts'
import type { Ahead } from './read-ahead.ts'

export interface CachedBlobsOptions {
  upstream: string
  reader: RegistryReader
  store: BlobStore
  metadata: Metadata
  fills: Fills
  inUse: InUse
  hotBlobs: HotBlobs
  bandwidth: Bandwidth | undefined
  report: ReportCacheEvent
  now: () => number
}

/** Blobs up to this size, such as configs, are served from memory; in bytes. */
const hotBlobSize = 64 * 1024

/** Small blobs in use, by upstream, repository and digest, so that the right to read them is part of the key. */
export type HotBlobs = LRUCache<string, Uint8Array<ArrayBuffer>>

export function hotBlobs(): HotBlobs {
  return new LRUCache({ maxSize: 64 * 1024 * 1024, sizeCalculation: (bytes) => bytes.length + 300 })
}

/** The blobs of one upstream: from memory, from the store, from a fill that runs or begins, and past a disk that fails. */
export class CachedBlobs {
  readonly #options: CachedBlobsOptions
  /** Sizes that an upstream told in passing; believed until a fill proves them right or wrong. */
  readonly #told = new LRUCache<string, number>({ max: 5_000 })

  constructor(options: CachedBlobsOptions) {
    this.#options = options
  }

  get(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Soon<Blob> {
    const hot = range ? undefined : this.#options.hotBlobs.get(this.#key(name, digest))
    if (!hot) return this.#find(name, digest, range, asker)
    this.#used(digest, 'hit')
    return new MemoryBlob(digest, hot)
  }

  /**
   * A blob goes only to who may have it: a manifest of this repository names it, or the upstream says so now. What is
   * neither kept nor being filled is asked for under this repository's name anyway.
   */
  async #find(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Promise<Blob> {
    let size = await this.#knownSize(name, digest)
    let proven = size !== undefined
    for (;;) {
      const stored = await this.#open(digest)
      // What is kept, or being filled, is there because some repository may read it: maybe not this one.
      if (!proven && (stored ?? this.#options.fills.has(digest))) {
        stored?.close()
        size = (await this.head(name, digest, asker)).size
        proven = true
        continue
      }
      if (stored) {
        if (size === undefined || this.#told.has(this.#key(name, digest)))
          await this.#sizeProven(name, digest, stored.size)
        return this.#read(name, digest, stored, range)
      }
      const source = this.#source(name, digest, asker)
      if (!this.#options.fills.canStore && asker?.background) throw cannotKeep(digest)
      if (!this.#options.fills.canStore) return this.#passThrough(source, digest, size, range)
      try {
        const filled = await this.#fill(source, { name, digest, size, range, asker, proven })
        if (filled) return filled
      } catch (error) {
        if (!(error instanceof StorageFailure)) throw error
        this.#options.fills.storageFailed(error)
        if (asker?.background) throw error
        return this.#passThrough(source, digest, size, range)
      }
    }
  }

  /** Fetches a blob that nobody reads yet, if it is not there. Resolves when that is over, however it ended. */
  async fillAhead({ name, digest, size }: Ahead): Promise<void> {
    const { fills, metadata } = this.#options
    if (!fills.canStore || !fills.readsAhead || fills.has(digest) || (await metadata.findStoredBlob(digest))) return
    const source = this.#source(name, digest)
    try {
      const fill = await fills.join(source, { digest, size, from: undefined })
      fill?.detach(source)
      await fill?.over
    } catch (error) {
      // Whoever asks for the blob finds out for itself, and is told.
      if (error instanceof StorageFailure) fills.storageFailed(error)
    }
  }

  async head(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead> {
    const known = await this.#knownSize(name, digest)
    if (known !== undefined) return { digest, size: known }
    const head = await this.#options.reader.headBlob(name, digest, asker)
    if (head.size !== undefined) this.#told.set(this.#key(name, digest), head.size)
    return head
  }

  async #knownSize(name: RepositoryName, digest: Digest): Promise<number | undefined> {
    const proven = await this.#options.metadata.findBlobSize(this.#repository(name), digest)
    return proven ?? this.#told.get(this.#key(name, digest))
  }

  async #sizeProven(name: RepositoryName, digest: Digest, size: number): Promise<void> {
    this.#told.delete(this.#key(name, digest))
    await this.#quietly(this.#options.metadata.putBlobSize(this.#repository(name), digest, size))
  }

  /** A stored blob of the size it was stored with; one that is short or long is put aside, to be fetched anew. */
  async #open(digest: Digest): Promise<StoredBlob | undefined> {
    const { store, metadata, now } = this.#options
    const [stored, record] = await Promise.all([
      store.open(digest).catch((cause: unknown) => this.#unreadable(digest, cause)),
      metadata.findStoredBlob(digest),
    ])
    if (!stored) return undefined
    if (!record) await this.#quietly(metadata.blobStored(digest, stored.size, now()))
    if (!record || record.size === stored.size) return stored
    stored.close()
    const message = `stored ${digest} must have ${record.size} bytes, saw ${stored.size}: put aside, to be fetched again`
    this.#options.report({ type: 'wrong-content', upstream: this.#options.upstream, digest, message })
    await store.quarantine(digest).catch((cause: unknown) => this.#unreadable(digest, cause))
    await this.#quietly(metadata.blobRemoved(digest))
    return undefined
  }

  async #read(name: RepositoryName, digest: Digest, stored: StoredBlob, range?: ByteRange): Promise<Blob> {
    this.#used(digest, 'hit')
    if (range || stored.size > hotBlobSize)
      return new StoredBlobReader(digest, stored, range, this.#options.inUse.begin(digest))
    const bytes = new Uint8Array(stored.size)
    try {
      for (let at = 0; at < bytes.length;) {
        const got = await stored.read(bytes.subarray(at), at)
        if (got === 0) throw new Error(`stored ${digest} ended at ${at} of ${bytes.length} bytes`)
        at += got
      }
    } finally {
      stored.close()
    }
    this.#options.hotBlobs.set(this.#key(name, digest), bytes)
    return new MemoryBlob(digest, bytes)
  }

  /** Undefined when a fill ended just now and the store has the blob. */
  async #fill(asked: FillSource, { name, digest, size, range, asker, proven }: Wanted): Promise<Blob | undefined> {
    const from = range?.start ?? 0
    const right = proven ? undefined : new Right()
    const source = right ? { ...asked, heard: right.heard } : asked
    const fill = await this.#options.fills.join(source, { digest, size, from })
    if (!fill) return undefined
    try {
      await (right ? right.orRefused(fill.firstAnswer(source, from)) : fill.firstAnswer(source, from))
      // The answer may be one to another repository, which came in between.
      if (right && !right.isProven) await this.head(name, digest, asker)
    } catch (error) {
      fill.detach(source)
      this.#told.delete(this.#key(name, digest))
      throw error
    }
    if (size === undefined || this.#told.has(this.#key(name, digest))) void this.#learnSize(name, fill)
    this.#used(digest, 'miss')
    return new FillBlob(fill, source, this.#options.inUse.begin(digest), range)
  }

  async #passThrough(source: FillSource, digest: Digest, size?: number, range?: ByteRange): Promise<Blob> {
    const blob = await passThrough(source, digest, size, range)
    this.#used(digest, 'miss')
    return blob
  }

  async #learnSize(name: RepositoryName, fill: Fill): Promise<void> {
    const result = await fill.over
    if (result === 'stored') await this.#sizeProven(name, fill.digest, fill.size!)
    else this.#told.delete(this.#key(name, fill.digest))
  }

  #unreadable(digest: Digest, cause: unknown): undefined {
    this.#options.fills.storageFailed(new StorageFailure(digest, cause))
  }

  /** What the disk cannot take now is found out again by the next pull. */
  async #quietly(writing: Promise<void>): Promise<void> {
    try {
      await writing
    } catch (cause) {
      this.#options.report({ type: 'storage-failure', message: (cause as Error).message })
    }
  }

  #source(name: RepositoryName, digest: Digest, asker?: Asker): FillSource {
    const { upstream, reader, bandwidth } = this.#options
    const getBlob = async (range?: ByteRange) => reader.getBlob(name, digest, range, asker)
    return { upstream, repository: name, bandwidth, getBlob, background: asker?.background }
  }

  #used(digest: Digest, outcome: Outcome): void {
    this.#options.metadata.used(digest, this.#options.now())
    this.#options.report({ type: 'lookup', upstream: this.#options.upstream, kind: 'blob', outcome })
  }

  #key(name: RepositoryName, digest: Digest): string {
    return `${this.#options.upstream}/${name}@${digest}`
  }

  #repository(name: RepositoryName): RepositoryKey {
    return { registry: this.#options.upstream, name }
  }
}

function cannotKeep(digest: Digest): RegistryError {
  const message = `${digest} is not fetched: the data folder takes nothing at the moment`
  return new RegistryError('UNAVAILABLE', message, { status: 503 })
}

interface Wanted {
  readonly name: RepositoryName
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly asker: Asker | undefined
  /** Whether the repository is known to hold it. */
  readonly proven: boolean
}

/** Whether a repository may read a blob, as its upstream tells while several fetch it. */
class Right {
  #proven = false
  #refuse!: (error: Error) => void
  readonly #refused = new Promise<never>((_, reject) => (this.#refuse = reject))

  get isProven(): boolean {
    return this.#proven
  }

  readonly heard = (outcome: 'answered' | Error): void => {
    if (outcome === 'answered') this.#proven = true
    else this.#refuse(outcome)
  }

  /** The first answer; rejects as soon as this repository is refused, whatever others get. */
  async orRefused(answer: Promise<void>): Promise<void> {
    // The one that comes too late is nobody's.
    answer.catch(() => {})
    this.#refused.catch(() => {})
    await Promise.race([answer, this.#refused])
  }
}

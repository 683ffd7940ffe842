// Blobs on their way from upstreams into the store. One fill for each digest, whatever the number of readers and of the
// repositories that want it; what it brings is read while it comes, verified, and only then kept.
import type { Digest } from '../oci/digest.ts'
import type { BlobStore } from '../store/store.ts'
import type { ReportFillEvent } from './events.ts'
import { Fill } from './fill.ts'
import type { FillPolicy } from './policy.ts'
import { SharedReads } from './shared-reads.ts'
import { Slots, type SlotLimits } from './slots.ts'
import type { FillSource } from './source.ts'
import { StorageFailure } from './storage-failure.ts'

export { Bandwidth } from './bandwidth.ts'
export type { FillEvent } from './events.ts'
export type { Fill } from './fill.ts'
export { FillBlob } from './fill-blob.ts'
export { passThrough } from './passing-blob.ts'
export { defaultFillPolicy, type FillPolicy } from './policy.ts'
export type { SlotLimits } from './slots.ts'
export type { FillSource } from './source.ts'
export { StorageFailure } from './storage-failure.ts'

export interface FillsOptions {
  store: BlobStore
  policy: FillPolicy
  limits: SlotLimits
  report: ReportFillEvent
  now: () => number
  /** Called with a verified blob that the store now holds. */
  stored: (digest: Digest, size: number) => Promise<void>
  /** Called when the disk refused. */
  refused: () => void
}

/** After the disk failed, pulls pass by it for this long before filling is tried again, in milliseconds. */
const storagePause = 10_000

/** Every fill that is running: one a digest, shared by all repositories and upstreams. */
export class Fills {
  readonly #options: FillsOptions
  readonly #slots: Slots
  readonly #reads = new SharedReads()
  readonly #running = new Map<Digest, Running>()
  #storageFailedAt = -Infinity
  #stopping = false

  constructor(options: FillsOptions) {
    this.#options = options
    this.#slots = new Slots(options.limits)
  }

  has(digest: Digest): boolean {
    return this.#running.has(digest)
  }

  get count(): number {
    return this.#running.size
  }

  get progress(): FillProgress[] {
    return [...this.#running].map(([digest, { upstream, startedAt, begun }]) => {
      return { digest, upstream, startedAt, size: begun?.size, present: begun?.present.total ?? 0 }
    })
  }

  /** Whether a fill goes on without readers. */
  get readsAhead(): boolean {
    return this.#options.policy.complete === 'always'
  }

  get canStore(): boolean {
    return !this.#stopping && this.#options.now() - this.#storageFailedAt >= storagePause
  }

  /**
   * Attaches to the running fill of a digest, or to a new one. Undefined where a fill has ended just now and the store
   * holds the blob. Rejects with a StorageFailure when the disk refuses.
   */
  async join(source: FillSource, { digest, size, from }: Wanted): Promise<Fill | undefined> {
    for (;;) {
      const running = this.#running.get(digest) ?? this.#start(digest, size, source)
      const fill = await running.fill
      if (!fill || fill.attach(source, from)) return fill
      await running.gone
    }
  }

  /** Ends all fills; what they have is kept for the next process. */
  async stop(): Promise<void> {
    this.#stopping = true
    const stopping = [...this.#running.values()].map(async ({ fill, gone }) => {
      await (await fill)?.stop()
      await gone
    })
    await Promise.allSettled(stopping)
  }

  storageFailed(failure: StorageFailure): void {
    this.#storageFailedAt = this.#options.now()
    this.#options.report({ type: 'storage-failure', message: failure.message })
    this.#options.refused()
  }

  #start(digest: Digest, size: number | undefined, source: FillSource): Running {
    const fill = this.#begin(digest, size, source)
    const gone = fill.then(
      (begun) => this.#follow(digest, begun, source),
      () => void this.#running.delete(digest),
    )
    const running: Running = { fill, gone, upstream: source.upstream, startedAt: this.#options.now() }
    this.#running.set(digest, running)
    void fill.then((begun) => (running.begun = begun)).catch(() => {})
    return running
  }

  async #begin(digest: Digest, size: number | undefined, source: FillSource): Promise<Fill | undefined> {
    const { store, policy, report, now } = this.#options
    // A fill may have ended between the caller's look and now.
    const stored = await store.open(digest).catch((cause: unknown) => {
      throw new StorageFailure(digest, cause)
    })
    stored?.close()
    if (stored) return undefined
    const partial = await store.openPartial(digest).catch((cause: unknown) => {
      throw new StorageFailure(digest, cause)
    })
    report({ type: 'fill-started', upstream: source.upstream, digest })
    return new Fill({ partial, size, policy, slots: this.#slots, reads: this.#reads, report, now })
  }

  async #follow(digest: Digest, fill: Fill | undefined, source: FillSource): Promise<void> {
    const result = await fill?.over
    if (fill && result === 'stored') await this.#options.stored(digest, fill.size!)
    this.#running.delete(digest)
    if (!fill || !result) return
    const { failure } = fill
    if (failure instanceof StorageFailure) this.storageFailed(failure)
    const { upstream, repository } = source
    const message = failure && { message: failure.message }
    this.#options.report({ type: 'fill-ended', upstream, repository, digest, result, ...message })
  }
}

/** How far a blob has come that is being fetched. */
export interface FillProgress {
  readonly digest: Digest
  readonly upstream: string
  /** Bytes; undefined until the upstream has told. */
  readonly size: number | undefined
  /** Bytes that are here. */
  readonly present: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** What a reader wants: a blob, of this size if it is known, from a position on. */
interface Wanted {
  digest: Digest
  size: number | undefined
  from: number | undefined
}

interface Running {
  /** Undefined when the store turned out to hold the blob. */
  fill: Promise<Fill | undefined>
  /** Resolves when the map has forgotten it. */
  gone: Promise<void>
  upstream: string
  startedAt: number
  /** What `fill` has resolved with. */
  begun?: Fill | undefined
}

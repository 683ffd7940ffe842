import type { Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { Intervals } from '../oci/intervals.ts'
import type { Arrival, Lent } from '../oci/registry.ts'
import type { PartialBlob } from '../store/store.ts'
import type { ReportFillEvent } from './events.ts'
import { Fetching, type FetchingFor, type FetchingOptions } from './fetching.ts'
import { smallBlob } from './policy.ts'
import { Readers, type Place } from './readers.ts'
import type { SharedReads } from './shared-reads.ts'
import type { FillSource } from './source.ts'
import { StorageFailure } from './storage-failure.ts'

/** At most so often is it written down which bytes are present, in milliseconds. */
const recordEvery = 2_000

export interface FillOptions extends FetchingOptions {
  partial: PartialBlob
  /** Bytes; undefined when only the upstream can say. */
  size: number | undefined
  reads: SharedReads
  report: ReportFillEvent
}

export type FillResult = 'stored' | 'failed' | 'stopped'

/**
 * One blob being fetched, whatever number of readers. Fetches write intervals of the partial blob; readers wait for
 * the bytes they need and read them from it at their own pace. Only a verified blob is kept, and no reader of the whole
 * gets the last byte of one that is not; a range could be checked by nobody, and goes out as it comes. The fill belongs
 * to the cache, not to the client that began it.
 */
export class Fill implements FetchingFor {
  readonly digest: Digest
  size: number | undefined
  readonly #options: FillOptions
  readonly #partial: PartialBlob
  readonly #fetching: Fetching
  readonly #readers = new Readers()
  #state: 'filling' | 'verifying' | FillResult = 'filling'
  #verified = false
  /** Under way. */
  readonly #writes = new Set<Promise<void>>()
  #cause: Error | undefined
  /** The same where it concerns who reads. */
  #failure: Error | undefined
  #generation = 0
  #recordedAt: number
  #over!: (result: FillResult) => void
  /** Resolves with the end of the fill, when what can be kept is kept; never rejects. */
  readonly over: Promise<FillResult>

  constructor(options: FillOptions) {
    this.#options = options
    this.#partial = options.partial
    this.digest = options.partial.digest
    this.size = options.size
    this.#recordedAt = options.now()
    this.#fetching = new Fetching(this, options)
    this.over = new Promise((resolve) => (this.#over = resolve))
  }

  get present(): Intervals {
    return this.#partial.present
  }

  get upstream(): string {
    return this.#fetching.upstream
  }

  /** Changes when bytes that could be read proved wrong: a reader that delivered some of them must break off. */
  get generation(): number {
    return this.#generation
  }

  /** What ended it, if it failed. */
  get failure(): Error | undefined {
    return this.#cause
  }

  /**
   * Adds a reader, known by its source: where its bytes may come from as well. What is at `position` is fetched first;
   * without one nobody waits yet.
   * False when the fill is over: look again for what it left.
   */
  attach(source: FillSource, position: number | undefined): boolean {
    if (this.#isOver) return false
    this.#readers.add(source, position)
    this.#fetching.addSource(source)
    this.#drive()
    return true
  }

  detach(reader: FillSource): void {
    this.#readers.remove(reader)
    if (!this.#readers.isEmpty) return
    this.#options.reads.forget(this.#partial)
    if (this.#state === 'filling' && this.#options.policy.complete !== 'always') void this.stop()
    else if (this.#isOver) void this.#partial.close().catch(() => {})
  }

  /**
   * Resolves when the upstream has answered or bytes at `position` are here: up to then a failure can still be a
   * status. For a small blob that is when it is verified.
   */
  async firstAnswer(reader: FillSource, position: number): Promise<void> {
    const hasBegun = () => this.#fetching.hasAnswered || this.#readableEnd({ position, heldBack: Infinity }) > position
    while (!this.#verified && (this.#isSmall || !hasBegun())) {
      if (this.#failure) throw this.#failure
      await this.#change(reader, { position, heldBack: Infinity })
    }
  }

  /**
   * Waits until bytes at `position` may be read and returns where they end; `position` itself at the end of the blob.
   * A reader of the whole blob names its last byte, `heldBack`, and waits with it until all are verified. Returns at once
   * when the `generation` it began with is over: what it has of that one is not fetched again for its sake, and it would
   * wait for the last byte for good. Rejects when the fill failed.
   */
  async readable(reader: FillSource, place: Place, generation: number): Promise<number> {
    for (;;) {
      if (this.#failure) throw this.#failure
      const end = this.#readableEnd(place)
      if (end > place.position || this.#verified || generation !== this.#generation) return end
      await this.#change(reader, place)
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#partial.read(into, position)
  }

  /** Whether several read it. */
  get isShared(): boolean {
    return this.#readers.count > 1
  }

  /** Lends what lies at `position`, up to `end` at most, which must be readable. Rejects as reading does. */
  lend(position: number, end: number): Promise<Lent | undefined> {
    return this.#options.reads.lend(this.#partial, position, end)
  }

  /** Ends fetching and keeps what has come for a later fill. */
  async stop(): Promise<void> {
    if (this.#state === 'filling')
      await this.#close('stopped', new UpstreamError('unreachable', 'fetching was stopped'))
    await this.over
  }

  // What fetching tells.

  wanted(): number[] {
    const wanted = this.#readers.wanted()
    return this.#isSmall ? wanted.map(() => 0) : wanted
  }

  wantsAll(): boolean {
    return this.#options.policy.complete !== 'never' || this.#readers.wantAll
  }

  async landed(bytes: Uint8Array | Arrival, position: number): Promise<void> {
    try {
      await this.#write(bytes, position)
      if (this.#state !== 'filling') return
      this.#partial.advance()
      await this.#record()
    } catch (cause) {
      throw new StorageFailure(this.digest, cause)
    }
    this.#readers.wakeWhere((place) => this.#readableEnd(place) > place.position)
    if (this.#hasAll) this.#drive()
  }

  async #write(bytes: Uint8Array | Arrival, position: number): Promise<void> {
    const write = this.#partial.write(bytes, position)
    this.#writes.add(write)
    await write.finally(() => this.#writes.delete(write))
  }

  answered(): void {
    this.#readers.wakeAll()
  }

  idle(): void {
    if (this.#state !== 'filling') return
    if (this.#hasAll) void this.#finish()
    else if (this.#readers.isEmpty) void this.stop()
  }

  failed(error: Error): void {
    void this.#close('failed', error)
  }

  get #isOver(): boolean {
    return this.#state === 'stored' || this.#state === 'failed' || this.#state === 'stopped'
  }

  get #hasAll(): boolean {
    return this.size !== undefined && this.present.endOfRun(0) >= this.size
  }

  get #isSmall(): boolean {
    return this.size !== undefined && this.size <= smallBlob
  }

  /** The last byte is held back until the digest is right, and all of a small blob. */
  #readableEnd({ position, heldBack }: Place): number {
    const end = this.present.endOfRun(position)
    if (this.#verified) return end
    if (this.#isSmall) return position
    if (heldBack === undefined) return end
    // The length may have been told wrong, to the reader or to the fill: the lesser one holds.
    return Math.max(position, Math.min(end, heldBack, (this.size ?? end) - 1))
  }

  /** Resolves when something changed that may concern a reader there. Rejects when it has left. */
  #change(reader: FillSource, place: Place): Promise<void> {
    return this.#readers.change(reader, place, () => {
      if (!this.#fetching.isComing(place.position)) this.#drive()
    })
  }

  #drive(): void {
    if (this.#state !== 'filling') return
    if (this.#hasAll) void this.#finish()
    else this.#fetching.drive()
  }

  async #record(): Promise<void> {
    const now = this.#options.now()
    if (now - this.#recordedAt < recordEvery) return
    this.#recordedAt = now
    await this.#partial.record()
  }

  async #finish(): Promise<void> {
    this.#state = 'verifying'
    try {
      if (!(await this.#partial.verify(this.size!))) return await this.#refetch()
      this.#verified = true
      // Committing waits for the disk: a kill until then must not lose what a client has got whole.
      await this.#partial.record()
      this.#readers.wakeAll()
      await this.#partial.commit()
    } catch (cause) {
      return this.#close('failed', new StorageFailure(this.digest, cause))
    }
    await this.#close('stored')
  }

  async #refetch(): Promise<void> {
    const { upstream } = this
    const message = `upstream ${upstream}: content of ${this.digest} must have that digest, saw another`
    this.#options.report({ type: 'wrong-content', upstream, digest: this.digest, message })
    await this.#partial.reset()
    this.#options.reads.forget(this.#partial)
    this.#generation++
    if (this.#generation > 1) return this.#close('failed', new UpstreamError('bad-answer', message))
    this.#state = 'filling'
    this.size = this.#options.size
    this.#fetching.startAnew()
    this.#readers.wakeAll()
    this.#drive()
  }

  async #close(result: FillResult, error?: Error): Promise<void> {
    if (this.#isOver) return
    this.#state = result
    this.#cause = error
    // A disk that fails after the digest was right spoils nothing for those who read.
    if (!this.#verified) this.#failure = error
    this.#fetching.stop()
    this.#readers.wakeAll()
    // A write that came later would spoil what the next fill finds in the same file.
    await Promise.allSettled(this.#writes)
    if (result !== 'stored') await this.#keepRest(error)
    if (this.#readers.isEmpty) await this.#partial.close().catch(() => {})
    this.#over(result)
  }

  /** Leaves for the next fill what is worth resuming. */
  async #keepRest(error: Error | undefined): Promise<void> {
    try {
      if (error instanceof StorageFailure || this.present.total === 0) await this.#partial.discard()
      else await this.#partial.record()
    } catch (cause) {
      this.#options.report({ type: 'storage-failure', message: new StorageFailure(this.digest, cause).message })
    }
  }
}

import { UpstreamError } from '../oci/errors.ts'
import type { Intervals } from '../oci/intervals.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Arrival, Blob } from '../oci/registry.ts'
import type { Turn } from './bandwidth.ts'
import { Fetch, type FetchTarget } from './fetch.ts'
import { isComing, nextStretch, segmentFor } from './plan.ts'
import { pauseAfter, smallBlob, type FillPolicy } from './policy.ts'
import type { Slots } from './slots.ts'
import type { FillSource } from './source.ts'
import { StorageFailure } from './storage-failure.ts'

/** Connections beside the others for readers that wait far from where these are. */
const urgentConnections = 2

/** The fill that is fetched for. */
export interface FetchingFor {
  /** Bytes; learnt from the upstream's answer where nobody knew. */
  size: number | undefined
  readonly present: Intervals
  /** Positions that readers wait for. */
  wanted(): number[]
  /** Whether what nobody waits for is to be fetched as well. */
  wantsAll(): boolean
  landed(bytes: Uint8Array | Arrival, position: number): Promise<void>
  /** The upstream has answered for the first time. */
  answered(): void
  /** Nothing is being fetched and nothing is left to ask for now. */
  idle(): void
  failed(error: Error): void
}

export interface FetchingOptions {
  policy: FillPolicy
  slots: Slots
  now: () => number
}

/** Decides what is asked of the upstream for one fill, over how many connections, and what a failure means. */
export class Fetching implements FetchTarget {
  readonly #fill: FetchingFor
  readonly #policy: FillPolicy
  readonly #slots: Slots
  readonly #now: () => number
  readonly #sources: FillSource[] = []
  readonly #fetches = new Set<Fetch>()
  /** Whether the upstream serves ranges; undefined until it was asked for one. */
  #ranges: boolean | undefined
  #parallel = true
  /** How many connections at once the host has shown to bear. */
  #allowed = Infinity
  #validator: string | undefined
  #hasAnswered = false
  #failures = 0
  /** Bytes that would have come while the last request waited for its answer. */
  #missed = 0
  #pausedUntil = 0
  #pause: NodeJS.Timeout | undefined
  readonly #watch: NodeJS.Timeout
  #stopped = false

  constructor(fill: FetchingFor, options: FetchingOptions) {
    this.#fill = fill
    this.#policy = options.policy
    this.#slots = options.slots
    this.#now = options.now
    const { stallAfter } = options.policy
    this.#watch = setInterval(() => this.#fetches.forEach((fetch) => fetch.watch(stallAfter)), stallAfter).unref()
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  get upstream(): string {
    return this.#sources[0]?.upstream ?? 'unknown'
  }

  /** Another repository to fetch from, should the ones before refuse. */
  addSource(source: FillSource): void {
    const same = (known: FillSource) => known.upstream === source.upstream && known.repository === source.repository
    if (!this.#sources.some(same)) this.#sources.push(source)
  }

  /** Asks for what is next, as far as connections allow. Call it whenever something has changed. */
  drive(): void {
    if (this.#stopped || this.#waitOutPause()) return
    while (this.#fetches.size < this.#connections() && this.#fetchNext(this.#fill.wantsAll()));
    while (this.#fetches.size < this.#connections() + urgentConnections && this.#mayOvertake && this.#fetchNext(false));
    if (this.#fetches.size === 0) this.#fill.idle()
  }

  /** Forgets what the upstream has answered: it proved wrong. */
  startAnew(): void {
    this.#hasAnswered = false
    this.#validator = undefined
    // Ranges may have been at fault.
    this.#parallel = false
  }

  /** Whether waiting for `position` needs nothing more to be asked. */
  isComing(position: number): boolean {
    return isComing(this.#fetches, position)
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#watch)
    clearTimeout(this.#pause)
    this.#fetches.forEach((fetch) => fetch.stop())
  }

  answered(fetch: Fetch, blob: Blob): void {
    this.#learnSize(blob)
    if (fetch.asked) this.#learnRanges(fetch, fetch.asked, blob)
    if (this.#validator !== undefined && blob.validator !== undefined && blob.validator !== this.#validator)
      this.#parallel = false
    this.#validator = blob.validator ?? this.#validator
    this.#hasAnswered = true
    fetch.source.heard?.('answered')
    this.#fill.answered()
    this.drive()
  }

  landed(bytes: Uint8Array | Arrival, position: number): Promise<void> {
    return this.#fill.landed(bytes, position)
  }

  turn({ position, end }: Fetch): Turn {
    if (this.#isSmall) return 'small'
    return this.#fill.wanted().some((wanted) => position <= wanted && wanted < end) ? 'wanted' : 'ahead'
  }

  #learnSize(blob: Blob): void {
    const { size } = this.#fill
    if (blob.size === undefined) return
    if (size === undefined) this.#fill.size = blob.size
    else if (size !== blob.size) {
      throw new UpstreamError('bad-answer', `upstream ${this.upstream}: blob must have ${size} bytes, saw ${blob.size}`)
    }
  }

  #learnRanges(fetch: Fetch, asked: ByteRange, blob: Blob): void {
    this.#ranges = blob.range !== undefined && blob.range.start === asked.start && blob.range.end <= asked.end
    if (this.#ranges) return
    // The whole comes, from the front: one stream does it all, and best the one that is under way.
    const underWay = [...this.#fetches].find((other) => other !== fetch && other.asked === undefined)
    if (underWay) {
      underWay.end = this.#fill.size ?? Infinity
      return fetch.stop()
    }
    for (const other of this.#fetches) if (other !== fetch) other.stop()
    fetch.position = this.#fill.present.endOfRun(0)
    fetch.end = this.#fill.size ?? Infinity
  }

  /** True while an upstream that failed is left alone; goes on by itself. */
  #waitOutPause(): boolean {
    const wait = this.#pausedUntil - this.#now()
    if (wait <= 0) return false
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined
      this.#pausedUntil = 0
      this.drive()
    }, wait)
    return true
  }

  get #isSmall(): boolean {
    return this.#fill.size !== undefined && this.#fill.size <= smallBlob
  }

  #connections(): number {
    const large = (this.#fill.size ?? 0) > this.#policy.parallelThreshold
    return this.#ranges && this.#parallel && large ? Math.min(this.#allowed, this.#policy.connections) : 1
  }

  get #mayOvertake(): boolean {
    return this.#fill.size !== undefined && this.#ranges !== false && this.#parallel && this.#allowed === Infinity
  }

  #fetchNext(readAhead: boolean): boolean {
    const range = this.#nextRange(readAhead)
    if (range) void this.#fetch(range)
    return range !== undefined
  }

  #nextRange(readAhead: boolean): ByteRange | undefined {
    const { size, present } = this.#fill
    if (size === undefined) return this.#fetches.size === 0 ? { start: present.endOfRun(0), end: Infinity } : undefined
    const inRanges = size > this.#policy.parallelThreshold && this.#ranges !== false && this.#parallel
    return nextStretch({
      size,
      present,
      inFlight: [...this.#fetches],
      wanted: this.#fill.wanted().filter((position) => position < size),
      readAhead,
      segment: inRanges ? segmentFor(this.#missed, this.#left(size), this.#policy.connections) : size,
    })
  }

  /** Bytes that are neither here nor asked for. */
  #left(size: number): number {
    const asked = [...this.#fetches].reduce((sum, { position, end }) => sum + end - position, 0)
    return size - this.#fill.present.total - asked
  }

  async #fetch(range: ByteRange): Promise<void> {
    const fetch = this.#makeFetch(range)
    this.#fetches.add(fetch)
    const release = await this.#slots.acquire({
      fill: this.#fill,
      upstream: fetch.source.upstream,
      small: this.#isSmall,
      wanted: () => this.#fill.wanted().some((position) => range.start <= position && position < fetch.end),
    })
    const error: unknown = await fetch.run(this).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    release()
    this.#fetches.delete(fetch)
    if (this.#stopped) return
    if (error === undefined) this.#afterSuccess(fetch)
    else this.#afterFailure(fetch, error)
    this.drive()
  }

  #makeFetch(range: ByteRange): Fetch {
    // A connection that would have come here later now ends where this one begins: no byte is fetched twice.
    for (const other of this.#fetches)
      if (other.position < range.start && range.start < other.end) other.end = range.start
    const { size } = this.#fill
    const whole = range.start === 0 && (range.end === Infinity || range.end === size)
    // Without ranges the only way leads from the front, past what is present.
    return new Fetch(this.#sources[0]!, range, whole || this.#ranges === false ? undefined : range)
  }

  /** The next fetch asks another repository or upstream, where there is one. */
  #tryAnother(failed: FillSource): void {
    if (this.#sources[0] === failed) this.#sources.push(this.#sources.shift()!)
  }

  #afterSuccess(fetch: Fetch): void {
    this.#failures = 0
    this.#missed = fetch.missed
    if (this.#fill.size === undefined) this.#fill.size = fetch.position
  }

  #afterFailure(fetch: Fetch, error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error))
    if (failure instanceof StorageFailure) return this.#fill.failed(failure)
    const running = [...this.#fetches].filter((other) => other.isRunning).length
    if (failure instanceof UpstreamError && !fetch.progressed && running > 0) {
      // A host that refuses one more connection goes on serving those it has.
      this.#allowed = running
      return
    }
    if (!(failure instanceof UpstreamError) || failure.failure === 'unauthorized') {
      // This repository does not have it or may not read it; another one that wants it may.
      const refused = this.#sources.indexOf(fetch.source)
      if (refused >= 0) this.#sources.splice(refused, 1)
      fetch.source.heard?.(failure)
      if (this.#sources.length === 0) this.#fill.failed(failure)
      return
    }
    this.#tryAnother(fetch.source)
    // One that cannot do ranges right may still do the whole.
    if (failure.failure === 'bad-answer' && fetch.asked) this.#ranges = false
    this.#failures = fetch.progressed ? 1 : this.#failures + 1
    const patience = failure.temporary && this.#hasAnswered ? this.#policy.attempts : 2
    const pause = pauseAfter(failure, this.#failures, fetch.progressed ? 0 : this.#policy.pause)
    if (this.#failures >= patience || pause === undefined) return this.#fill.failed(failure)
    this.#pausedUntil = this.#now() + pause
  }
}

import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Arrival, Blob } from '../oci/registry.ts'
import type { Turn } from './bandwidth.ts'
import type { FillSource } from './source.ts'

/** Between a body and the file, in bytes: large enough that system calls do not count. */
const pieceSize = 256 * 1024
/** Slower than this over a watch's length is no progress, in bytes a second. */
const slowest = 1024

/** What a fetch needs of the fill it works for. */
export interface FetchTarget {
  answered(fetch: Fetch, blob: Blob): void
  /** Writes and announces bytes; rejects when the disk fails. */
  landed(bytes: Uint8Array | Arrival, position: number): Promise<void>
  /** How urgent what this brings is, where an upstream's bandwidth is capped. */
  turn(fetch: Fetch): Turn
}

/** One request to the upstream, writing what it brings from `position` on. Its `end` may be moved down while it runs. */
export class Fetch {
  position: number
  end: number
  /** Whether any byte arrived. */
  progressed = false
  readonly source: FillSource
  /** The range asked of the upstream; undefined when the whole blob is. */
  readonly asked: ByteRange | undefined
  #blob: Blob | undefined
  #stopped = false
  #stalled = false
  #watched = false
  #sinceWatch = 0
  #askedAt = 0
  #answeredAt = 0
  /** Whether it is the upstream that is waited for, and not the disk or a cap of ours. */
  #reading = false

  /** Brings the bytes of `stretch`; `asked` leaves them to be picked from the whole blob where it is undefined. */
  constructor(source: FillSource, stretch: ByteRange, asked: ByteRange | undefined) {
    this.source = source
    this.asked = asked
    this.position = stretch.start
    this.end = stretch.end
  }

  /** Whether the upstream has answered and the body is coming. */
  get isRunning(): boolean {
    return this.#blob !== undefined && !this.#stopped && !this.#stalled
  }

  /** Bytes of a range that would have come, at the rate of those that came, while the answer was waited for. */
  get missed(): number {
    const brought = this.position - (this.asked?.start ?? this.position)
    const [asked, answered] = [this.#answeredAt - this.#askedAt, performance.now() - this.#answeredAt]
    return answered > 0 ? (brought * asked) / answered : 0
  }

  async run(target: FetchTarget): Promise<void> {
    if (this.#stopped) return
    this.#askedAt = performance.now()
    const blob = await this.source.getBlob(this.asked)
    this.#answeredAt = performance.now()
    this.#blob = blob
    try {
      if (this.#stopped) return
      target.answered(this, blob)
      await this.#copy(blob, target)
    } catch (error) {
      if (this.#stopped) return
      throw this.#stalled ? new UpstreamError('timeout', `upstream ${this.source.upstream} made no progress`) : error
    } finally {
      blob.close()
    }
  }

  async #copy(blob: Blob, target: FetchTarget): Promise<void> {
    const next = nextOf(blob)
    // An upstream that ignores Range starts at the front: what is present already passes by unread.
    let at = blob.range?.start ?? 0
    while (!this.#stopped && this.position < this.end) {
      this.#reading = true
      const came = await next()
      this.#reading = false
      if (!came) return this.#expectEnd(blob)
      const got = came.length
      this.#sinceWatch += got
      await this.source.bandwidth?.take(got, () => target.turn(this))
      const skipped = Math.min(got, this.position - at)
      at += got
      const bytes = came.subarray(skipped, Math.min(got, skipped + this.end - this.position))
      if (bytes.length === 0) continue
      await target.landed(bytes, this.position)
      this.position += bytes.length
      this.progressed = true
    }
  }

  // A body without a length looks complete wherever it ends; what is known of the blob's size tells.
  #expectEnd(blob: Blob): void {
    if (blob.range || this.end === Infinity) return
    const message = `upstream ${this.source.upstream}: body ended at byte ${this.position} of ${this.end}`
    throw new UpstreamError('unreachable', message)
  }

  /** Called at the end of each watch: gives up a connection that brought next to nothing since the last call. */
  watch(milliseconds: number): void {
    const slow = this.#reading && this.#sinceWatch < (slowest * milliseconds) / 1000
    // One that was answered in the middle of a watch is judged by the next.
    if (this.#watched && slow) {
      this.#stalled = true
      this.#blob?.close()
    }
    this.#watched = this.#reading
    this.#sinceWatch = 0
  }

  stop(): void {
    this.#stopped = true
    this.#blob?.close()
  }
}

/** How the bytes of a blob come: on the thread where they are, or piece by piece through a buffer of ours. */
function nextOf(blob: Blob): () => Promise<Arrival | Uint8Array | undefined> {
  if (blob.arrival) return () => blob.arrival!()
  const buffer = Buffer.allocUnsafeSlow(pieceSize)
  return async () => {
    const got = await blob.read(buffer)
    return got === 0 ? undefined : buffer.subarray(0, got)
  }
}

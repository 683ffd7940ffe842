import type { Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob, Lent } from '../oci/registry.ts'
import type { Fill } from './fill.ts'
import { passThrough } from './passing-blob.ts'
import type { FillSource } from './source.ts'
import { StorageFailure } from './storage-failure.ts'

function within(size: number, { start, end }: ByteRange = { start: 0, end: size }): ByteRange {
  return { start, end: Math.min(end, size) }
}

/** A blob that is being filled. When the disk fails it goes on from the upstream itself. */
export class FillBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly #fill: Fill
  readonly #done: () => void
  readonly #source: FillSource
  readonly #start: number
  readonly #end: number
  readonly #heldBack: number | undefined
  #generation: number
  #position: number
  #direct: Blob | undefined
  #closed = false

  /** `source` is attached to `fill`, which must have answered; it is detached, and `done` called, when this is closed. */
  constructor(fill: Fill, source: FillSource, done: () => void, range?: ByteRange) {
    this.digest = fill.digest
    this.size = fill.size
    this.range = fill.size === undefined ? range : within(fill.size, range)
    this.#fill = fill
    this.#done = done
    this.#source = source
    this.#start = this.range?.start ?? 0
    this.#end = this.range?.end ?? Infinity
    const whole = this.#start === 0 && (this.#end === Infinity || this.#end === fill.size)
    this.#heldBack = whole ? this.#end - 1 : undefined
    this.#position = this.#start
    this.#generation = fill.generation
  }

  async read(into: Uint8Array): Promise<number> {
    if (this.#direct) return this.#direct.read(into)
    if (this.#position >= this.#end) return 0
    try {
      return await this.#readFill(into)
    } catch (error) {
      if (!(error instanceof StorageFailure) || this.#closed || this.#source.background) throw error
      const range = { start: this.#position, end: this.#end }
      this.#direct = await passThrough(this.#source, this.digest, this.size, range)
      if (this.#closed) this.#direct.close()
      return this.#direct.read(into)
    }
  }

  async borrow(): Promise<Lent | undefined> {
    if (this.#direct || this.#position >= this.#end || !this.#fill.isShared) return undefined
    try {
      return await this.#borrow()
    } catch (error) {
      if (this.#closed) throw error
      // Reading meets it as well, and knows what to do.
      return undefined
    }
  }

  async #borrow(): Promise<Lent | undefined> {
    const end = await this.#readable()
    if (this.#fill.generation !== this.#generation || end <= this.#position) return undefined
    const lent = await this.#fill.lend(this.#position, end)
    if (!lent || this.#fill.generation !== this.#generation) return void lent?.release()
    this.#position += lent.bytes.length
    return lent
  }

  async #readFill(into: Uint8Array): Promise<number> {
    for (;;) {
      const end = await this.#readable()
      if (this.#mustStartAnew()) continue
      const length = Math.min(into.length, end - this.#position)
      if (length === 0) return this.#expectEnd()
      const got = await this.#fill.read(into.subarray(0, length), this.#position).catch((cause: unknown) => {
        throw new StorageFailure(this.digest, cause)
      })
      // Bytes that proved wrong while they were being read are gone, or others by now.
      if (this.#fill.generation !== this.#generation) continue
      if (got === 0) throw new StorageFailure(this.digest, new Error('the partial file is short'))
      this.#position += got
      return got
    }
  }

  async #readable(): Promise<number> {
    const place = { position: this.#position, heldBack: this.#heldBack }
    const end = await this.#fill.readable(this.#source, place, this.#generation)
    // Only what is verified reaches beyond the byte held back: it is longer than its head told.
    if (this.#heldBack !== undefined && end > this.#end) throw this.#toldWrong(end)
    return Math.min(end, this.#end)
  }

  /** Whether what was there proved wrong; rejects when some of it has gone out. */
  #mustStartAnew(): boolean {
    if (this.#fill.generation === this.#generation) return false
    if (this.#position > this.#start) {
      throw new UpstreamError('bad-answer', `content of ${this.digest} proved wrong while it was read`)
    }
    this.#generation = this.#fill.generation
    return true
  }

  // Its head may have told a length that proved wrong: a clean end would then be a lie.
  #expectEnd(): number {
    if (this.#end === Infinity) return 0
    throw this.#toldWrong(this.#position)
  }

  #toldWrong(length: number): UpstreamError {
    const message = `content of ${this.digest} must have ${this.#end} bytes, saw ${length}`
    return new UpstreamError('bad-answer', message)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#direct?.close()
    this.#fill.detach(this.#source)
    this.#done()
  }
}

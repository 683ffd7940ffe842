import { createHash, type Hash } from 'node:crypto'
import { algorithmOf, finishDigest, type Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import type { StoredBlob } from '../store/store.ts'
import type { Fill } from './fill.ts'
import { StorageFailure, type FillSource } from './fill-policy.ts'

/** A stored blob, or a range of it, read from front to back. */
export class StoredBlobReader implements Blob {
  readonly digest: Digest
  readonly size: number
  readonly range: ByteRange
  readonly #stored: StoredBlob
  readonly #done: () => void
  #position: number

  /** `done` is called when it is closed. */
  constructor(digest: Digest, stored: StoredBlob, done: () => void, range?: ByteRange) {
    this.digest = digest
    this.size = stored.size
    this.range = range ?? { start: 0, end: stored.size }
    this.#stored = stored
    this.#done = done
    this.#position = this.range.start
  }

  async read(into: Uint8Array): Promise<number> {
    const left = this.range.end - this.#position
    if (left === 0) return 0
    const got = await this.#stored.read(left < into.length ? into.subarray(0, left) : into, this.#position)
    if (got === 0) throw new Error(`stored ${this.digest} ended before ${this.range.end}`)
    this.#position += got
    return got
  }

  close(): void {
    this.#stored.close()
    this.#done()
  }
}

/** A small blob that is in memory. */
export class MemoryBlob implements Blob {
  readonly digest: Digest
  readonly size: number
  readonly range: ByteRange
  readonly whole: Uint8Array<ArrayBuffer>
  #position = 0

  constructor(digest: Digest, bytes: Uint8Array<ArrayBuffer>) {
    this.digest = digest
    this.size = bytes.length
    this.range = { start: 0, end: bytes.length }
    this.whole = bytes
  }

  async read(into: Uint8Array): Promise<number> {
    const bytes = this.whole.subarray(this.#position, this.#position + into.length)
    into.set(bytes)
    this.#position += bytes.length
    return bytes.length
  }

  close(): void {}
}

/** A blob that is being filled. When the disk fails it goes on from the upstream itself. */
export class FillBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly #fill: Fill
  readonly #source: FillSource
  readonly #start: number
  readonly #end: number
  readonly #generation: number
  #position: number
  #direct: Blob | undefined
  #closed = false

  /** `source` is attached to `fill`, which must have answered; it is detached when this is closed. */
  constructor(fill: Fill, source: FillSource, range?: ByteRange) {
    this.digest = fill.digest
    this.size = fill.size
    this.range = range ?? (fill.size === undefined ? undefined : { start: 0, end: fill.size })
    this.#fill = fill
    this.#source = source
    this.#start = this.range?.start ?? 0
    this.#end = this.range?.end ?? Infinity
    this.#position = this.#start
    this.#generation = fill.generation
  }

  async read(into: Uint8Array): Promise<number> {
    if (this.#direct) return this.#direct.read(into)
    if (this.#position >= this.#end) return 0
    try {
      return await this.#readFill(into)
    } catch (error) {
      if (!(error instanceof StorageFailure) || this.#closed) throw error
      this.#direct = await passThrough(this.#source, this.digest, this.size, { start: this.#position, end: this.#end })
      return this.#direct.read(into)
    }
  }

  async #readFill(into: Uint8Array): Promise<number> {
    const end = await this.#fill.readable(this.#source, this.#position)
    if (this.#fill.generation !== this.#generation && this.#position > this.#start) {
      throw new UpstreamError('bad-answer', `content of ${this.digest} proved wrong while it was read`)
    }
    const length = Math.min(into.length, end - this.#position, this.#end - this.#position)
    if (length === 0) return 0
    const got = await this.#fill.read(into.subarray(0, length), this.#position).catch((cause: unknown) => {
      throw new StorageFailure(this.digest, cause)
    })
    this.#position += got
    return got
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#direct?.close()
    this.#fill.detach(this.#source)
  }
}

/** A blob straight from the upstream, kept nowhere: for when the disk fails. Resumes after a cut; checked where it is read whole. */
export async function passThrough(source: FillSource, digest: Digest, size?: number, range?: ByteRange): Promise<Blob> {
  const whole = !range || (range.start === 0 && range.end === (size ?? Infinity))
  const first = await source.getBlob(whole ? undefined : range)
  return new PassingBlob(source, digest, first, whole ? undefined : range)
}

/** Cuts in a row that end a pull that passes by the disk. */
const maxCuts = 5

class PassingBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly #source: FillSource
  readonly #hash: Hash | undefined
  #from: Blob
  #at: number
  #position: number
  #cuts = 0
  /** One byte is held back until all are checked. */
  #held: number | undefined

  constructor(source: FillSource, digest: Digest, from: Blob, range: ByteRange | undefined) {
    this.#source = source
    this.digest = digest
    this.size = from.size
    this.range = range ?? from.range
    this.#from = from
    this.#at = from.range?.start ?? 0
    this.#position = range?.start ?? 0
    this.#hash = range ? undefined : createHash(algorithmOf(digest))
  }

  async read(into: Uint8Array): Promise<number> {
    const offset = this.#held === undefined ? 0 : 1
    if (this.#held !== undefined) into[0] = this.#held
    const got = await this.#next(into.subarray(offset))
    if (!this.#hash) return got
    if (got > 0) {
      this.#hash.update(into.subarray(offset, offset + got))
      this.#held = into[offset + got - 1]
      // A single byte more is not worth an answer of its own, and 0 would mean the end.
      return offset + got === 1 ? this.read(into) : offset + got - 1
    }
    if (this.#held === undefined) return 0
    if (finishDigest(this.#hash.copy(), algorithmOf(this.digest)) !== this.digest) {
      throw new UpstreamError(
        'bad-answer',
        `upstream ${this.#source.upstream}: content of ${this.digest} must have that digest`,
      )
    }
    this.#held = undefined
    return 1
  }

  close(): void {
    this.#from.close()
  }

  async #next(into: Uint8Array): Promise<number> {
    const end = this.range?.end ?? Infinity
    for (;;) {
      if (this.#position >= end) return 0
      try {
        const got = await this.#from.read(into.subarray(0, Math.min(into.length, end - this.#at)))
        this.#at += got
        const fresh = this.#at - this.#position
        if (got > 0 && fresh <= 0) continue
        if (fresh < got) into.copyWithin(0, got - fresh, got)
        this.#position = Math.max(this.#position, this.#at)
        this.#cuts = 0
        return Math.min(got, fresh)
      } catch (error) {
        if (!(error instanceof UpstreamError && error.temporary) || ++this.#cuts > maxCuts || end === Infinity)
          throw error
        this.#from.close()
        this.#from = await this.#source.getBlob({ start: this.#position, end })
        this.#at = this.#from.range?.start ?? 0
      }
    }
  }
}

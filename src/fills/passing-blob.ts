import { createHash, type Hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { algorithmOf, finishDigest, type Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import { pauseAfter } from './policy.ts'
import type { FillSource } from './source.ts'

/**
 * A blob straight from the upstream, kept nowhere: for when the disk fails. Resumes after a cut; checked where it is read
 * whole. A range that is to end at Infinity goes on to wherever the blob ends.
 */
export async function passThrough(source: FillSource, digest: Digest, size?: number, range?: ByteRange): Promise<Blob> {
  const whole = !range || (range.start === 0 && range.end === (size ?? Infinity))
  const wanted = whole ? undefined : range
  return new PassingBlob(source, digest, await ask(source, wanted), wanted)
}

/** Without an end there is no range to ask for: the whole comes, and what was not wanted passes by. */
function ask(source: FillSource, range: ByteRange | undefined): Promise<Blob> {
  return source.getBlob(range && range.end !== Infinity ? range : undefined)
}

/** Cuts and refusals in a row that end a pull that passes by the disk. */
const maxCuts = 5
/** Before the upstream is asked again, in milliseconds; doubled each time. */
const firstPause = 100

class PassingBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly #source: FillSource
  readonly #hash: Hash | undefined
  readonly #end: number
  /** Undefined from a cut until the upstream has answered again. */
  #from: Blob | undefined
  #at: number
  #position: number
  #cuts = 0
  /** One byte is held back until all are checked. */
  #held: number | undefined
  #checked = false
  #closed = false

  constructor(source: FillSource, digest: Digest, from: Blob, range: ByteRange | undefined) {
    this.#source = source
    this.digest = digest
    this.size = from.size
    this.range = range ?? from.range
    this.#end = this.range?.end ?? Infinity
    this.#from = from
    this.#at = from.range?.start ?? 0
    this.#position = range?.start ?? 0
    this.#hash = range ? undefined : createHash(algorithmOf(digest))
  }

  async read(into: Uint8Array): Promise<number> {
    if (!this.#hash) return this.#next(into)
    if (this.#checked) return 0
    const got = await this.#next(into)
    if (got === 0) return this.#last(into, this.#hash)
    this.#hash.update(into.subarray(0, got))
    const before = this.#held
    this.#held = into[got - 1]
    if (before === undefined) return got > 1 ? got - 1 : this.read(into)
    into.copyWithin(1, 0, got - 1)
    into[0] = before
    return got
  }

  #last(into: Uint8Array, hash: Hash): number {
    if (finishDigest(hash, algorithmOf(this.digest)) !== this.digest) {
      const { upstream } = this.#source
      throw new UpstreamError('bad-answer', `upstream ${upstream}: content of ${this.digest} must have that digest`)
    }
    this.#checked = true
    if (this.#held === undefined) return 0
    into[0] = this.#held
    return 1
  }

  close(): void {
    this.#closed = true
    this.#from?.close()
  }

  /** The next bytes from `#position` on, over as many connections as it takes. */
  async #next(into: Uint8Array): Promise<number> {
    while (this.#position < this.#end) {
      try {
        const from = this.#from ?? (await this.#askAgain())
        const got = await from.read(into.subarray(0, Math.min(into.length, this.#end - this.#at)))
        if (got === 0) return this.#expectEnd()
        this.#at += got
        const fresh = Math.min(got, this.#at - this.#position)
        if (fresh <= 0) continue
        into.copyWithin(0, got - fresh, got)
        this.#position += fresh
        this.#cuts = 0
        return fresh
      } catch (error) {
        await this.#pauseAfter(error)
      }
    }
    return 0
  }

  #expectEnd(): number {
    if (this.#end === Infinity) return 0
    const message = `upstream ${this.#source.upstream}: body ended at byte ${this.#position} of ${this.#end}`
    throw new UpstreamError('unreachable', message)
  }

  async #askAgain(): Promise<Blob> {
    const from = await ask(this.#source, { start: this.#position, end: this.#end })
    this.#from = from
    this.#at = from.range?.start ?? 0
    if (this.#closed) from.close()
    return from
  }

  /** Resolves when the upstream may be asked again; throws when that was too often, or will not help. */
  async #pauseAfter(error: unknown): Promise<void> {
    this.#from?.close()
    this.#from = undefined
    if (this.#closed || !(error instanceof UpstreamError && error.temporary) || ++this.#cuts > maxCuts) throw error
    const pause = pauseAfter(error, this.#cuts, firstPause)
    if (pause === undefined) throw error
    await sleep(pause, undefined, { ref: false })
    if (this.#closed) throw error
  }
}

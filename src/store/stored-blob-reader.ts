import type { Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import type { StoredBlob } from './store.ts'

/** A stored blob, or a range of it, read from front to back. */
export class StoredBlobReader implements Blob {
  readonly digest: Digest
  readonly size: number
  readonly range: ByteRange
  readonly isKept = true
  readonly #stored: StoredBlob
  readonly #done: () => void
  #position: number

  /** `range` may end beyond the blob; `done` is called when this is closed. */
  constructor(digest: Digest, stored: StoredBlob, range?: ByteRange, done: () => void = () => {}) {
    this.digest = digest
    this.size = stored.size
    this.range = { start: range?.start ?? 0, end: Math.min(range?.end ?? Infinity, stored.size) }
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

import type { Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'

/** A small blob that is in memory. */
export class MemoryBlob implements Blob {
  readonly digest: Digest
  readonly size: number
  readonly range: ByteRange
  readonly whole: Uint8Array<ArrayBuffer>
  readonly isKept = true
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

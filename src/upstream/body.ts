import type { Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import type { UpstreamClient } from './client.ts'
import type { Answer } from './transport.ts'

/** The upstream is read ahead of whoever reads the blob by this much: one large copy then replaces many small ones; in bytes. */
const readAhead = 256 * 1024

interface Head {
  digest: Digest
  size?: number
  range?: ByteRange
}

/** A blob's body as it comes from an upstream. Its length is checked; its digest is for whoever asked. */
export class UpstreamBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly validator: string | undefined
  readonly #client: UpstreamClient
  readonly #answer: Answer
  readonly #broken: () => void
  /** What has come and was not read yet. */
  readonly #chunks: Buffer[] = []
  #waiting = 0
  #got = 0
  #ended = false
  #error: unknown
  #wake: (() => void) | undefined

  /** `broken` is called when the body ends before its time. */
  constructor(client: UpstreamClient, answer: Answer, head: Head, broken: () => void) {
    this.#client = client
    this.#broken = broken
    this.#answer = answer
    this.digest = head.digest
    this.size = head.size
    this.range = head.range
    this.validator = answer.header('etag')
    this.#listen()
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) {
        this.#broken()
        throw this.#client.brokenOff(this.#error, this.#answer)
      }
      if (this.#ended) return this.#end()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#take(into)
  }

  close(): void {
    this.#answer.body.destroy()
  }

  #listen(): void {
    const { body } = this.#answer
    body.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#waiting += chunk.length
      if (this.#waiting >= readAhead) body.pause()
      this.#wake?.()
    })
    body.on('end', () => {
      this.#ended = true
      this.#wake?.()
    })
    body.on('error', (error) => {
      this.#error = error
      this.#wake?.()
    })
    body.on('close', () => {
      if (!this.#ended) this.#error ??= new Error('closed')
      this.#wake?.()
    })
  }

  /** Moves as much as has come and fits. */
  #take(into: Uint8Array): number {
    let taken = 0
    while (taken < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!
      const part = chunk.copy(into, taken, 0, Math.min(chunk.length, into.length - taken))
      taken += part
      if (part === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part)
    }
    this.#waiting -= taken
    this.#got += taken
    if (this.#waiting < readAhead) this.#answer.body.resume()
    this.#client.taken(taken)
    this.#client.report({ type: 'upstream-bytes', upstream: this.#client.name, bytes: taken })
    return taken
  }

  // A body that ends early by a clean end of a chunked answer looks complete to HTTP; the known length tells.
  #end(): number {
    const expected = this.range ? this.range.end - this.range.start : undefined
    if (expected === undefined || expected === this.#got) return 0
    this.#broken()
    const { host } = this.#answer.url
    const seen = `upstream ${this.#client.name}: ${host} sent ${this.#got} of ${expected} bytes`
    throw this.#client.brokenOff(new UpstreamError('unreachable', seen), this.#answer)
  }
}

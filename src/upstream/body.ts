import type { Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import type { UpstreamClient } from './client.ts'
import { networkFailure } from './errors.ts'
import type { Answer } from './transport.ts'

/** A blob's body as it comes from an upstream. Its length is checked; its digest is for whoever asked. */
export class UpstreamBlob implements Blob {
  readonly digest: Digest
  readonly size: number | undefined
  readonly range: ByteRange | undefined
  readonly validator: string | undefined
  readonly #client: UpstreamClient
  readonly #answer: Answer
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer | undefined
  #got = 0

  constructor(client: UpstreamClient, answer: Answer, head: { digest: Digest; size?: number; range?: ByteRange }) {
    this.#client = client
    this.#answer = answer
    this.digest = head.digest
    this.size = head.size
    this.range = head.range
    this.validator = answer.header('etag')
    this.#chunks = (answer.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  async read(into: Uint8Array): Promise<number> {
    const chunk = this.#rest ?? (await this.#next())
    if (chunk === undefined) return this.#end()
    const taken = Math.min(chunk.length, into.length)
    chunk.copy(into, 0, 0, taken)
    this.#rest = taken < chunk.length ? chunk.subarray(taken) : undefined
    this.#got += taken
    return taken
  }

  close(): void {
    this.#answer.body.on('error', () => {})
    this.#answer.body.destroy()
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const next = await this.#chunks.next()
      if (next.done) return undefined
      const chunk = next.value
      this.#client.report({ type: 'upstream-bytes', upstream: this.#client.name, bytes: chunk.length })
      return chunk
    } catch (error) {
      throw networkFailure(error, this.#client.name, this.#answer.url.host)
    }
  }

  // A body that ends early by a clean end of a chunked answer looks complete to HTTP; the known length tells.
  #end(): number {
    const expected = this.range ? this.range.end - this.range.start : undefined
    if (expected === undefined || expected === this.#got) return 0
    const host = this.#answer.url.host
    throw new UpstreamError(
      'unreachable',
      `upstream ${this.#client.name}: ${host} sent ${this.#got} of ${expected} bytes`,
    )
  }
}

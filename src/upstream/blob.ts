import type { Digest } from '../oci/digest.ts'
import { UpstreamError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Arrival, Blob } from '../oci/registry.ts'
import type { UpstreamClient } from './client.ts'
import type { Answer } from './transport.ts'

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
  #got = 0
  readonly arrival?: () => Promise<Arrival | undefined>

  /** `broken` is called when the body ends before its time. */
  constructor(client: UpstreamClient, answer: Answer, head: Head, broken: () => void) {
    this.#client = client
    this.#broken = broken
    this.#answer = answer
    this.digest = head.digest
    this.size = head.size
    this.range = head.range
    this.validator = answer.header('etag')
    const { body } = answer
    if (body.arrival) this.arrival = () => this.#next(() => body.arrival!())
  }

  async read(into: Uint8Array): Promise<number> {
    const got = await this.#answer.body.read(into).catch((error: unknown) => this.#broke(error))
    return got === 0 ? this.#end() : this.#count(got)
  }

  async #next(arrival: () => Promise<Arrival | undefined>): Promise<Arrival | undefined> {
    const came = await arrival().catch((error: unknown) => this.#broke(error))
    if (came) this.#count(came.length)
    else this.#end()
    return came
  }

  #count(got: number): number {
    this.#got += got
    this.#client.report({ type: 'upstream-bytes', upstream: this.#client.name, bytes: got })
    return got
  }

  #broke(error: unknown): never {
    this.#broken()
    throw this.#client.brokenOff(error, this.#answer)
  }

  close(): void {
    this.#answer.body.destroy()
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

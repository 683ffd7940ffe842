import { UpstreamError } from '../oci/errors.ts'
import { isBrokenSocket, networkFailure } from './errors.ts'
import { exchange, type Headers, type Received, type ReceivedBody, type Sent } from './exchange.ts'
import { isInnerAddress, resolvesInside } from './inner.js'
import type { Network } from './network.ts'

/** Whole bodies are read in pieces of at most this many bytes. */
const longestPiece = 64 * 1024

/** One HTTP answer, its body not read yet. Whoever got it reads it or drops it. */
export class Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: ReceivedBody
  readonly url: URL
  readonly #upstream: string

  constructor(upstream: string, url: URL, { status, headers, body }: Received) {
    this.#upstream = upstream
    this.url = url
    this.status = status
    this.headers = headers
    this.body = body
  }

  header(name: string): string | undefined {
    const value = this.headers[name]
    return Array.isArray(value) ? value[0] : value
  }

  /** The whole body. Throws UpstreamError (bad-answer) above `limit` bytes. */
  async bytes(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for (;;) {
        const piece = Buffer.allocUnsafe(Math.min(this.body.length, longestPiece))
        const got = await this.body.read(piece)
        if (got === 0) return Buffer.concat(chunks)
        size += got
        if (size > limit) break
        chunks.push(piece.subarray(0, got))
      }
    } catch (error) {
      throw networkFailure(error, this.#upstream, this.url.host)
    }
    this.body.destroy()
    throw new UpstreamError('bad-answer', `upstream ${this.#upstream}: answer must be at most ${limit} bytes, saw more`)
  }

  /** Lets go of a body nobody wants; short ones are read so that the connection lives on. */
  drop(): void {
    this.body.drop()
  }
}

/** Sends single requests of one upstream: which way out, what is retried, what an error is called. Follows no redirect. */
export class Transport {
  readonly #upstream: string
  readonly #home: URL
  readonly #network: Network
  #homeInside: Promise<boolean> | undefined

  constructor(upstream: string, home: URL, network: Network) {
    this.#upstream = upstream
    this.#home = home
    this.#network = network
  }

  /** Throws UpstreamError when no answer comes. */
  async send(url: URL, sent: Sent): Promise<Answer> {
    const way = await this.#wayTo(url)
    // Bodies are kept by digest: they must never come encoded.
    const headers = { 'accept-encoding': 'identity', 'user-agent': 'berth', ...sent.headers }
    const asked = { ...sent, headers }
    const { transfers } = this.#network
    const send = (fresh: boolean) =>
      sent.large
        ? transfers.ask(way, fresh, url, asked)
        : exchange(this.#network[way][fresh ? 'fresh' : 'pooled'], url, asked)
    try {
      return new Answer(this.#upstream, url, await onceMore(send, sent.signal))
    } catch (error) {
      throw networkFailure(error, this.#upstream, url.host)
    }
  }

  async #wayTo(url: URL): Promise<'open' | 'guarded'> {
    if (url.origin === this.#home.origin) return 'open'
    if (url.protocol !== 'https:' && this.#home.protocol === 'https:') {
      throw new UpstreamError(
        'bad-answer',
        `upstream ${this.#upstream} sent us to ${url.protocol}//${url.host}: must be https`,
      )
    }
    // An upstream within the operator's own networks may name hosts there; one on the internet may not.
    if (await (this.#homeInside ??= resolvesInside(this.#home.hostname))) return 'open'
    if (isInnerAddress(url.hostname)) {
      throw new UpstreamError(
        'bad-answer',
        `upstream ${this.#upstream} sent us to the inner address ${url.host}: refused`,
      )
    }
    return 'guarded'
  }
}

// A pooled connection may have been closed by the peer the moment we used it (undici issue 5450), and the others with it.
async function onceMore<T>(send: (fresh: boolean) => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await send(false)
  } catch (error) {
    if (signal?.aborted || !isBrokenSocket(error)) throw error
    return send(true)
  }
}

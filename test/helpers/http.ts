import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'

// A client for tests: it shows what was on the wire. It follows no redirect, decodes nothing, keeps no connection, and a body
// that breaks off is a result, not an error.

export interface Sent {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: string | Uint8Array | Readable
  signal?: AbortSignal
  /** The request target as it is to be sent, where a URL would be normalised. */
  path?: string
  agent?: http.Agent
  /** Extra CA for https, PEM. */
  ca?: string
}

export interface Received {
  status: number
  headers: IncomingHttpHeaders
  raw: Buffer
  /** False when the connection broke before the body's end. */
  complete: boolean
  text(): string
  json(): unknown
}

/** Sends a request and reads the whole answer. */
export async function fetchRaw(url: string, sent: Sent = {}): Promise<Received> {
  const answer = await openRaw(url, sent)
  const raw = await answer.rest()
  const text = () => raw.toString()
  const { status, headers, complete } = answer
  return { status, headers, raw, complete, text, json: () => JSON.parse(text()) as unknown }
}

/** Sends a request and returns when the status line and the headers are there; the body is read at the test's own pace. */
export function openRaw(url: string, sent: Sent = {}): Promise<OpenAnswer> {
  const { method = 'GET', headers = {}, body, signal, path, agent = false, ca } = sent
  const target = new URL(url)
  const { request } = target.protocol === 'https:' ? https : http
  const options = {
    method,
    headers,
    agent,
    ...(signal && { signal }),
    ...(path !== undefined && { path }),
    ...(ca && { ca }),
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(target, options, (response) => resolve(new OpenAnswer(response)))
    outgoing.on('error', reject)
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
    else body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing)
  })
}

/** An answer whose body waits to be read. Nothing is read ahead but what the connection's buffers hold. */
export class OpenAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly #response: IncomingMessage
  readonly #chunks: AsyncIterator<Buffer>
  #spare: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.on('error', () => {})
    this.#chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** Whether the body was read to its proper end. */
  get complete(): boolean {
    return this.#ended && this.#response.complete
  }

  /** The next `count` bytes; fewer only where the body ends or breaks off. */
  async read(count: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = count; left > 0;) {
      const chunk = this.#spare.length > 0 ? this.#spare : await this.#next()
      if (!chunk) break
      const part = chunk.subarray(0, left)
      this.#spare = chunk.subarray(part.length)
      left -= part.length
      parts.push(part)
    }
    return Buffer.concat(parts)
  }

  /** All that is left. */
  rest(): Promise<Buffer> {
    return this.read(Infinity)
  }

  /** Hangs up. */
  destroy(): void {
    this.#response.destroy()
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const next = await this.#chunks.next()
      if (!next.done) return next.value
    } catch {
      // Broken off: `complete` says so.
    }
    this.#ended = true
    return undefined
  }
}

import { connect, type Socket } from 'node:net'

export interface Result {
  status: number
  /** Bytes of the body. */
  bytes: number
  /** Milliseconds from the request to the first bytes of the answer. */
  first: number
  /** Milliseconds from the request to the end of the answer. */
  total: number
  /** Where an upload goes on, path and query. */
  location?: string
}

interface Exchange {
  started: number
  head: string
  length: number | undefined
  result: Result
  resolve: (result: Result) => void
  reject: (error: Error) => void
}

/** The end of a head, and where a client that reads into one buffer must look for it. */
const headEnd = '\r\n\r\n'

/** One for all connections, for what is read is only counted: small enough to stay in the processor's cache. */
const shared = Buffer.allocUnsafeSlow(256 * 1024)

/**
 * An HTTP/1.1 client that costs next to nothing: one request at a time over one connection, the body counted and
 * overwritten. Knows Content-Length alone, which registries always send.
 */
export class Connection {
  readonly #socket: Socket
  readonly #host: string
  readonly #bytesPerSecond: number | undefined
  #exchange: Exchange | undefined
  #closed = false

  readonly #headers: string

  constructor(url: string, bytesPerSecond?: number, authorization?: string) {
    const { hostname, port, host } = new URL(url)
    this.#headers = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`
    this.#host = host
    this.#bytesPerSecond = bytesPerSecond
    const buffer = bytesPerSecond ? Buffer.allocUnsafeSlow(32 * 1024) : shared
    const onread = { buffer, callback: (length: number) => this.#read(buffer, length) }
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed in mid-answer')))
  }

  get(path: string, range?: string): Promise<Result> {
    return this.#request('GET', path, range ? `Range: bytes=${range}\r\n` : '')
  }

  /** Sends a body as fast as it is taken. */
  send(method: 'POST' | 'PATCH' | 'PUT', path: string, body: Uint8Array, type?: string): Promise<Result> {
    const typed = `Content-Type: ${type ?? 'application/octet-stream'}\r\n`
    return this.#request(method, path, `${typed}Content-Length: ${body.length}\r\n`, body)
  }

  #request(method: string, path: string, headers: string, body?: Uint8Array): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the connection is closed'))
      const result = { status: 0, bytes: 0, first: 0, total: 0 }
      this.#exchange = { started: performance.now(), head: '', length: undefined, result, resolve, reject }
      this.#socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nUser-Agent: bench\r\n${this.#headers}${headers}\r\n`,
      )
      if (body && body.length > 0) this.#socket.write(body)
    })
  }

  close(): void {
    this.#closed = true
    this.#exchange = undefined
    this.#socket.destroy()
  }

  /** Takes bytes off the socket; false leaves the rest there until a slow client wants more. */
  #read(buffer: Buffer, length: number): boolean {
    const exchange = this.#exchange
    if (!exchange) return true
    exchange.result.bytes += exchange.length === undefined ? this.#readHead(exchange, buffer, length) : length
    if (exchange.length !== undefined && exchange.result.bytes >= exchange.length) this.#end(exchange)
    if (!this.#bytesPerSecond) return true
    setTimeout(() => this.#socket.resume(), (length / this.#bytesPerSecond) * 1000)
    return false
  }

  /** Returns how many bytes of the body came with the head. */
  #readHead(exchange: Exchange, buffer: Buffer, length: number): number {
    if (exchange.head === '') exchange.result.first = performance.now() - exchange.started
    const before = exchange.head.length
    exchange.head += buffer.toString('latin1', 0, Math.min(length, 4096))
    const end = exchange.head.indexOf(headEnd)
    if (end < 0) return 0
    exchange.result.status = Number(exchange.head.slice(9, 12))
    if (exchange.result.status === 202) exchange.result.location = locationIn(exchange.head)
    exchange.length = Number(/\r\ncontent-length: *(\d+)/i.exec(exchange.head)?.[1] ?? NaN)
    if (Number.isNaN(exchange.length)) this.#fail(new Error('the answer must have a Content-Length'))
    return length - (end + headEnd.length - before)
  }

  #end({ result, started, resolve }: Exchange): void {
    this.#exchange = undefined
    result.total = performance.now() - started
    resolve(result)
  }

  #fail(error: Error): void {
    this.#closed = true
    this.#exchange?.reject(error)
    this.#exchange = undefined
    this.#socket.destroy()
  }
}

function locationIn(head: string): string {
  const { pathname, search } = new URL(/\r\nlocation: *(\S+)/i.exec(head)?.[1] ?? '', 'http://localhost')
  return pathname + search
}

/** One request over a connection of its own; anything but success is an error. */
export async function download(url: string, path: string, range?: string): Promise<Result> {
  const connection = new Connection(url)
  try {
    return expectSuccess(await connection.get(path, range), path)
  } finally {
    connection.close()
  }
}

export function expectSuccess(result: Result, path: string): Result {
  if (result.status >= 200 && result.status < 300) return result
  throw new Error(`${path} must be answered with success, saw ${result.status}`)
}

import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'

type Handle = (request: IncomingMessage, response: ServerResponse) => void

export interface ListenerOptions {
  handle: Handle
  tls?: { key: string; cert: string } | undefined
  idleClose: () => number | undefined
}

/** An HTTP server on a port of its own that can be stopped as if its machine went away, and started again on that port. */
export class Listener {
  port = 0
  readonly #server: http.Server
  readonly #sockets = new Set<Socket>()
  readonly #busy = new Set<Socket>()
  readonly #scheme: string

  constructor(options: ListenerOptions) {
    this.#scheme = options.tls ? 'https' : 'http'
    this.#server = options.tls ? https.createServer(options.tls) : http.createServer()
    this.#server.keepAliveTimeout = 0
    this.#server.requestTimeout = 0
    const keep = (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    }
    this.#server.on('connection', keep)
    if (options.tls) this.#server.on('secureConnection', keep)
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#trackIdleness(request.socket, response, options.idleClose())
      options.handle(request, response)
    })
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `${this.#scheme}://${this.host}`
  }

  async start(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** Refuses connections from now on and breaks the open ones. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  closeIdle(): void {
    this.#server.closeIdleConnections()
  }

  #trackIdleness(socket: Socket, response: ServerResponse, idleClose: number | undefined): void {
    this.#busy.add(socket)
    response.on('close', () => {
      this.#busy.delete(socket)
      if (idleClose === undefined) return
      const timer = setTimeout(() => !this.#busy.has(socket) && socket.destroy(), idleClose)
      socket.on('close', () => clearTimeout(timer))
    })
  }
}

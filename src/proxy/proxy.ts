// Berth as the HTTPS proxy of a daemon. A CONNECT to an upstream's host ends here, with a certificate of our own authority,
// and what is asked inside it is asked of that upstream alone; any other CONNECT is passed on if a list allows it.
import { createServer, STATUS_CODES, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { LookupFunction, Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import type { Authority } from './authority.ts'
import type { ReportTunnel, TunnelEvent } from './events.ts'
import { dial, join } from './passage.ts'
import { allowed, nameOf, parseTarget } from './target.ts'

export type { Authority } from './authority.ts'
export type { TunnelEvent } from './events.ts'

export interface ProxyOptions {
  authority: Authority
  /** The upstream of a host that a CONNECT names, such as `quay.io` or `registry.test:5000`. */
  upstreamOf(host: string): string | undefined
  /** Answers what is asked inside a tunnel to this upstream. */
  serve(upstream: string): RequestListener
  /** Throws when whoever sent this CONNECT, by its Proxy-Authorization, may not use the proxy. */
  admit(incoming: IncomingMessage): Promise<void>
  /** Hosts that are passed on to: `host`, `host:port`, `*.host`, `*`. */
  allow: readonly string[]
  /** Resolves names that patterns allow, to addresses outside of this machine and its network alone; else fails with EINNER. */
  publicLookup: LookupFunction
  report: ReportTunnel
}

export interface Proxy {
  /** Takes the CONNECT requests of one server, whose timeouts are those inside its tunnels, too. */
  attach(server: Server): void
  /** Takes no more tunnels; those that are busy after `grace` milliseconds are cut. */
  close(grace: number): Promise<void>
}

const mostTunnels = 4096
/** In milliseconds. */
const handshakeTimeout = 20_000
const idleSweep = 100

/** Opens the authority of a data folder, and makes it at first use. Only the owner may read its file, which holds the key. */
export async function openAuthority(data: string, now?: () => number): Promise<Authority> {
  // Loaded where it is asked for: the library for it takes 25 MiB.
  const authority = await import('./authority.ts')
  return authority.openAuthority(data, now)
}

interface Tunnel {
  readonly listener: RequestListener
  /** The Proxy-Authorization it was opened with. */
  readonly authorization: string | undefined
}

export function createProxy(options: ProxyOptions): Proxy {
  const { authority, report } = options
  /** Every socket of a client that has a tunnel. */
  const sockets = new Set<Socket>()
  const tunnels = new WeakMap<Socket, Tunnel>()
  const listeners = new Map<string, RequestListener>()
  let closed = false

  const inner = createServer((incoming, outgoing) => {
    const tunnel = tunnels.get(incoming.socket)!
    // Whoever opened the tunnel asks; what a client has for the upstream is not for us.
    if (tunnel.authorization === undefined) delete incoming.headers.authorization
    else incoming.headers.authorization = tunnel.authorization
    void tunnel.listener(incoming, outgoing)
  })

  async function open(incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const wanted = incoming.url ?? ''
    const tell = (outcome: TunnelEvent['outcome'], message?: string) =>
      report({ type: 'tunnel', target: wanted.slice(0, 100), outcome, ...(message !== undefined && { message }) })
    const refuse = (status: number, message: string) => {
      tell('refused', message)
      answer(socket, status, message)
    }
    const target = parseTarget(wanted)
    if (!target) return refuse(400, 'CONNECT must name a host and a port, such as quay.io:443')
    if (closed || sockets.size > mostTunnels) return refuse(503, 'no more tunnels are taken at the moment')
    const authorization = incoming.headers['proxy-authorization']
    try {
      await options.admit(incoming)
    } catch {
      return refuse(407, 'this proxy wants a user and a password, as in https_proxy=http://USER:PASSWORD@HOST')
    }
    const upstream = options.upstreamOf(nameOf(target))
    if (upstream !== undefined) {
      const secureContext = await authority.contextFor(target.host)
      if (socket.destroyed) return
      established(socket, head)
      secure(socket, secureContext, { listener: listenerFor(upstream), authorization })
      return tell('served')
    }
    const by = allowed(options.allow, target)
    if (!by) {
      return refuse(403, `${nameOf(target)} is neither an upstream here nor among the hosts that proxy.allow lists`)
    }
    const other = await dial(target, by === 'by pattern' ? options.publicLookup : undefined)
    // Its close has been told already, and would end the other never.
    if (socket.destroyed) return void other.destroy()
    established(socket, head)
    join(socket, other)
    tell('passed on')
  }

  function secure(socket: Socket, secureContext: SecureContext, tunnel: Tunnel): void {
    const tls = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] })
    const timer = setTimeout(() => tls.destroy(), handshakeTimeout)
    tls.once('secure', () => clearTimeout(timer))
    tls.on('error', () => tls.destroy())
    tls.on('close', () => {
      clearTimeout(timer)
      socket.destroy()
    })
    tunnels.set(tls, tunnel)
    inner.emit('connection', tls)
  }

  function listenerFor(upstream: string): RequestListener {
    const listener = listeners.get(upstream) ?? options.serve(upstream)
    listeners.set(upstream, listener)
    return listener
  }

  return {
    attach(server) {
      // Inside a tunnel a client is waited for as long as outside.
      const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = server
      Object.assign(inner, { headersTimeout, requestTimeout, keepAliveTimeout, timeout })
      // It listens nowhere, and would otherwise not begin to watch for slow headers and idle connections.
      inner.emit('listening')
      server.on('connect', (incoming, duplex, head) => {
        const socket = duplex as Socket
        sockets.add(socket)
        socket.on('error', () => socket.destroy())
        socket.on('close', () => sockets.delete(socket))
        open(incoming, socket, head).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error)
          report({ type: 'tunnel', target: (incoming.url ?? '').slice(0, 100), outcome: 'failed', message: why })
          answer(socket, 502, `${(incoming.url ?? '').slice(0, 100)} cannot be reached: ${why}`)
        })
      })
    },
    async close(grace) {
      closed = true
      const until = Date.now() + grace
      while (sockets.size > 0) {
        inner.closeIdleConnections()
        if (Date.now() >= until) for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(idleSweep, until - Date.now()))))
      }
      inner.close()
    },
  }
}

function established(socket: Socket, head: Buffer): void {
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  // A client need not wait for the answer before it goes on.
  if (head.length > 0) socket.unshift(head)
}

function answer(socket: Socket, status: number, message: string): void {
  if (socket.destroyed) return
  const body = `${message}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 407 ? ['Proxy-Authenticate: Basic realm="Berth", charset="UTF-8"'] : []),
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroySoon())
}

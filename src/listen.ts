import type { RequestListener, Server as HttpServer } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, getRequestListener, type HttpBindings } from '@hono/node-server'
import { answerClientError, endIdle } from './client-errors.ts'
import type { Proxy } from './proxy/proxy.ts'
import type { Certificates } from './tls/tls.ts'

export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>

export interface Listener {
  readonly url: string
  /** Takes no more connections at once; those that are busy after `grace` milliseconds are cut. */
  close(grace: number): Promise<void>
}

/** How long clients are waited for, in milliseconds. */
export interface Patience {
  /** For a request's headers, and for a TLS handshake. */
  headers: number
  /** For the next bytes of a body, or for the next that a client takes of an answer. Bodies may take as long as they progress. */
  idle: number
  /** For the next request. Longer than the idle times of proxies in front, so that they and not we close a connection. */
  keepAlive: number
  /** How often it is looked for headers that are late. */
  look: number
}

const usual: Patience = { headers: 20_000, idle: 300_000, keepAlive: 75_000, look: 5_000 }
/** While stopping, how often connections are closed that have become idle; in milliseconds. */
const idleSweep = 100

/** What there is around HTTP. */
export interface Around {
  /** Without it HTTP is plain. */
  certificates?: Certificates | undefined
  proxy?: Proxy | undefined
}

/** Serves HTTP/1.1 on an address. Rejects with the system's error (EADDRINUSE, EACCES, ...) when it cannot be had. */
export async function listen(
  fetch: Fetch,
  address: { host: string; port: number },
  around: Around,
  patience = usual,
): Promise<Listener> {
  const { certificates, proxy } = around
  // The name is for HTTP/1.0, which knows no Host header; health checks of load balancers still speak it.
  const app = { fetch: fetch as never, hostname: 'localhost' }
  const serverOptions = {
    connectionsCheckingInterval: patience.look,
    handshakeTimeout: patience.headers,
    ...certificates?.options,
  }
  const secure = certificates && { createServer: createTlsServer }
  const server = createAdaptorServer({ ...app, ...secure, serverOptions }) as HttpServer
  certificates?.follow((options) => (server as HttpsServer).setSecureContext(options))
  server.headersTimeout = patience.headers
  server.keepAliveTimeout = patience.keepAlive
  // Uploads and downloads of any length are honest: only idle time counts.
  server.requestTimeout = 0
  server.timeout = patience.idle
  server.on('timeout', endIdle)
  server.on('clientError', answerClientError)
  proxy?.attach(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(address.port, address.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port } = server.address() as AddressInfo
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return {
    url: `${certificates ? 'https' : 'http'}://${host}:${port}`,
    close: (grace) => Promise.all([closeServer(server, grace), proxy?.close(grace)]).then(() => {}),
  }
}

/** Answers requests of a server that is not ours, such as the one inside a proxy's tunnels. */
export function requestListener(fetch: Fetch): RequestListener {
  const listener = getRequestListener(fetch as never, { hostname: 'localhost' })
  return (incoming, outgoing) => void listener(incoming, outgoing)
}

/** Takes no more connections at once; those that are busy after `grace` milliseconds are cut. */
export function closeServer(server: HttpServer, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), grace)
    // A connection that was busy at first is idle when its response has ended; clients would keep it for minutes.
    const sweep = setInterval(() => server.closeIdleConnections(), idleSweep)
    server.close(() => {
      clearTimeout(cut)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}

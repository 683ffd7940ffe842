import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici'
import { publicLookup } from './inner.ts'
import { bodyMemory, type BodyMemory } from './memory.ts'

/** Every waiting time towards an upstream, in milliseconds, in one place. */
export const timeouts = {
  connect: 10_000,
  /** containerd waits 30 s for our headers, so ours must be known, or have failed, before that. */
  headers: 20_000,
  /** No byte of a body for this long ends the request; a fill then resumes elsewhere. */
  idle: 20_000,
  /** Shorter than the 15 s after which some upstreams close idle sockets. */
  keepAlive: 4_000,
  /** A token server's whole answer. */
  token: 15_000,
}

export type Timeouts = typeof timeouts

/** The ways out of the process: `open` for hosts the operator configured, `guarded` for hosts an upstream named. */
export interface Network {
  readonly open: Way
  /** Refuses to connect to loopback, private and link-local addresses. */
  readonly guarded: Way
  readonly memory: BodyMemory
  close(): Promise<void>
}

export interface Way {
  readonly pooled: Dispatcher
  /** A new connection for each request. */
  readonly fresh: Dispatcher
}

export interface NetworkOptions {
  /** PEM: trusted beside the system's roots. */
  extraCa?: string
  timeouts?: Partial<Timeouts>
  /** Is told of chunks of bodies that nobody needs any more, in bytes. */
  dropped?: (bytes: number) => void
}

/**
 * Opens the network as the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; `extraCa` (PEM) is trusted
 * beside the system's roots, never instead of them, for registries, token servers and CDNs alike.
 */
export function openNetwork(options: NetworkOptions = {}): Network {
  const waits = { ...timeouts, ...options.timeouts }
  const trusted = options.extraCa === undefined ? {} : { ca: [...usualRoots(), options.extraCa] }
  const common = {
    headersTimeout: waits.headers,
    bodyTimeout: waits.idle,
    keepAliveTimeout: waits.keepAlive,
    keepAliveMaxTimeout: waits.keepAlive,
    connections: 128,
  }
  const dispatcher = (connect: object, pipelining: number): Dispatcher => {
    const settings = { ...common, pipelining, connect: { timeout: waits.connect, ...trusted, ...connect } }
    return proxied()
      ? new EnvHttpProxyAgent({ ...settings, requestTls: trusted, proxyTls: trusted })
      : new Agent(settings)
  }
  // To undici a pipelining of 0 is no keep-alive.
  const way = (connect: object): Way => ({ pooled: dispatcher(connect, 1), fresh: dispatcher(connect, 0) })
  const open = way({})
  const guarded = way({ lookup: publicLookup })
  return {
    open,
    guarded,
    memory: bodyMemory(options.dropped ?? (() => {})),
    close: async () => {
      await Promise.all([open, guarded].flatMap(({ pooled, fresh }) => [pooled.destroy(), fresh.destroy()]))
    },
  }
}

/** What Node trusts when it is not told: newer ones say it, for older ones NODE_EXTRA_CA_CERTS is read once more. */
function usualRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'default') => string[] }
  if (getCACertificates) return getCACertificates('default')
  const file = process.env.NODE_EXTRA_CA_CERTS
  try {
    return file ? [...tls.rootCertificates, readFileSync(file, 'utf8')] : tls.rootCertificates
  } catch {
    // Node has warned of it at its start, and goes on without it, too.
    return tls.rootCertificates
  }
}

function proxied(): boolean {
  return ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].some((name) => process.env[name])
}

import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { Transfers } from './transfers.ts'
import { openWays } from './ways.js'

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

type Way = import('./ways.js').Way

/** The ways out of the process: `open` for hosts the operator configured, `guarded` for hosts an upstream named. */
export interface Network {
  readonly open: Way
  /** Refuses to connect to loopback, private and link-local addresses. */
  readonly guarded: Way
  /** The same ways for what is large. */
  readonly transfers: Transfers
  close(): Promise<void>
}

export interface NetworkOptions {
  /** PEM: trusted beside the system's roots. */
  extraCa?: string
  timeouts?: Partial<Timeouts>
}

/**
 * Opens the network as the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; `extraCa` (PEM) is trusted
 * beside the system's roots, never instead of them, for registries, token servers and CDNs alike.
 */
export function openNetwork(options: NetworkOptions = {}): Network {
  const settings = {
    timeouts: { ...timeouts, ...options.timeouts },
    ca: options.extraCa === undefined ? undefined : [...usualRoots(), options.extraCa],
  }
  const { open, guarded, close } = openWays(settings)
  const transfers = new Transfers(settings)
  return {
    open,
    guarded,
    transfers,
    close: async () => {
      await Promise.all([close(), transfers.close()])
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

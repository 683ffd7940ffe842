// Plain JavaScript: the transfer thread opens the same ways as the main thread.
import { createRequire } from 'node:module'
import process from 'node:process'
import { publicLookup } from './inner.js'

// The whole of undici takes 8 MiB more on each thread, for what is used nowhere here.
const require = createRequire(import.meta.url)
/** @type {unknown} */
const alone = require('undici/lib/dispatcher/agent.js')
const Agent = /** @type {typeof import('undici').Agent} */ (alone)

/**
 * @typedef {object} WaySettings
 * @property {import('./network.ts').Timeouts} timeouts
 * @property {readonly string[] | undefined} ca What is trusted, PEM; undefined for what Node trusts.
 */

/**
 * @typedef {object} Way
 * @property {import('undici').Dispatcher} pooled
 * @property {import('undici').Dispatcher} fresh A new connection for each request.
 */

/**
 * The ways out of the process, as the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. `guarded` refuses to connect to
 * loopback, private and link-local addresses.
 * @param {WaySettings} settings
 * @returns {{ open: Way, guarded: Way, close: () => Promise<void> }}
 */
export function openWays({ timeouts, ca }) {
  const trusted = ca && { ca: [...ca] }
  const common = {
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    keepAliveTimeout: timeouts.keepAlive,
    keepAliveMaxTimeout: timeouts.keepAlive,
    connections: 128,
  }
  const ProxyAgent = proxied() ? loadProxyAgent() : undefined
  /** @param {object} connect @param {number} pipelining */
  const dispatcher = (connect, pipelining) => {
    const settings = { ...common, pipelining, connect: { timeout: timeouts.connect, ...trusted, ...connect } }
    if (!ProxyAgent) return new Agent(settings)
    return new ProxyAgent({ ...settings, ...(trusted && { requestTls: trusted, proxyTls: trusted }) })
  }
  // To undici a pipelining of 0 is no keep-alive.
  /** @param {object} connect */
  const way = (connect) => ({ pooled: dispatcher(connect, 1), fresh: dispatcher(connect, 0) })
  const open = way({})
  const guarded = way({ lookup: publicLookup })
  const close = async () => {
    await Promise.all([open, guarded].flatMap(({ pooled, fresh }) => [pooled.destroy(), fresh.destroy()]))
  }
  return { open, guarded, close }
}

function loadProxyAgent() {
  // It takes methods of dispatchers that only the whole gives them.
  /** @type {unknown} */
  const whole = require('undici')
  return /** @type {typeof import('undici')} */ (whole).EnvHttpProxyAgent
}

function proxied() {
  return ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].some((name) => process.env[name])
}

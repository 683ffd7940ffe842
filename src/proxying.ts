import type { HttpBindings } from '@hono/node-server'
import type { Access } from './access/access.ts'
import { apiApp, type Forwarded } from './api/app.ts'
import type { Config } from './config/config.ts'
import { requestListener, type Fetch } from './listen.ts'
import type { Namespaces } from './namespaces/namespaces.ts'
import { createProxy, openAuthority, type Proxy } from './proxy/proxy.ts'
import type { Event } from './telemetry/telemetry.ts'
import { publicLookup } from './upstream/upstream.ts'

export interface ProxyingOptions {
  config: Config
  registry: Namespaces
  access: Access
  forwarded: Forwarded
  report: (event: Event) => void
  /** Keeps each client to what it may have. */
  within: (fetch: Fetch) => Fetch
  now: () => number
}

/** Berth as its clients' HTTPS proxy, if it is to be one: each upstream's host is answered by the API, of that upstream alone. */
export async function openProxying(options: ProxyingOptions): Promise<Proxy | undefined> {
  const { config, access, registry, forwarded, report, within, now } = options
  if (!config.proxy.enabled) return undefined
  const hosts = new Map<string, string>()
  for (const { name, aliases, url } of config.upstreams) {
    for (const host of [new URL(url).host, ...aliases, name]) hosts.set(host.replace(/:443$/, ''), name)
  }
  return createProxy({
    authority: await openAuthority(config.storage.data, now),
    upstreamOf: (host) => hosts.get(host),
    serve: (upstream) => {
      const inside = {
        ...registry,
        locate: (address: { path: string; prefix?: string | undefined }) => registry.locateIn(upstream, address),
        isMirror: () => true,
        // What is hosted here is no content of the upstream.
        listRepositories: () => Promise.resolve([]),
      }
      return requestListener(within(unchallenged(apiApp({ registry: inside, access, report, now }).fetch)))
    },
    admit: async (incoming) =>
      access.enter(await access.identify(incoming.headers['proxy-authorization'], forwarded.addressOf(incoming)), true),
    allow: config.proxy.allow,
    publicLookup,
    report,
  })
}

/**
 * A challenge in the name of an upstream would be answered with the client's login there, which is not for us to see: who
 * may not, is told so and not asked.
 */
function unchallenged(fetch: Fetch): Fetch {
  return async (request: Request, bindings: HttpBindings) => {
    const response = await fetch(request, bindings)
    if (response.status !== 401) return response
    const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'www-authenticate'))
    return new Response(await response.text(), { status: 403, headers })
  }
}

/** Refuses requests that name a whole URL: they are meant for a proxy, which here takes CONNECT alone. */
export function connectOnly(fetch: Fetch): Fetch {
  return (request, bindings) => {
    if (bindings.incoming.url?.startsWith('/')) return fetch(request, bindings)
    return new Response('this proxy is for https:// URLs (CONNECT) alone\n', { status: 403 })
  }
}

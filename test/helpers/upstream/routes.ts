import type { IncomingMessage } from 'node:http'

/** What a request to the registry asks for. */
export type Route =
  | { kind: 'ping' }
  | { kind: 'manifest' | 'blob'; name: string; reference: string }
  | { kind: 'tags'; name: string; query: URLSearchParams }
  | { kind: 'referrers'; name: string; reference: string; query: URLSearchParams }
  | { kind: 'unknown' }

const kinds = { manifests: 'manifest', blobs: 'blob', tags: 'tags', referrers: 'referrers' } as const

export function routeOf(request: IncomingMessage): Route {
  const [path, query] = pathAndQuery(request.url ?? '/')
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' }
  const [, name, word, reference] = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(path) ?? []
  if (name === undefined || word === undefined || reference === undefined) return { kind: 'unknown' }
  const kind = kinds[word as keyof typeof kinds]
  if (kind === 'tags') return reference === 'list' ? { kind, name, query } : { kind: 'unknown' }
  return { kind, name, reference, query }
}

function pathAndQuery(target: string): [path: string, query: URLSearchParams] {
  try {
    const url = new URL(`http://upstream${target}`)
    return [decodeURIComponent(url.pathname), url.searchParams]
  } catch {
    return ['', new URLSearchParams()]
  }
}

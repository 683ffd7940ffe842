import { parseDigest, quote, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseReference, parseTag, type Reference, type Tag } from '../oci/reference.ts'

/** What a method and URL ask for, by the endpoints of the distribution specification. Names are still as the client wrote them. */
export type ApiRequest =
  | { kind: 'base'; prefix: string }
  | { kind: 'catalog' }
  | { kind: 'manifest'; at: Place; reference: Reference }
  /** Ours: what a tag meant at a time, in milliseconds since 1970. */
  | { kind: 'dated'; at: Place; tag: Tag; time: number }
  | { kind: 'blob'; at: Place; digest: Digest }
  | { kind: 'tags'; at: Place }
  | { kind: 'referrers'; at: Place; digest: Digest }
  | { kind: 'upload'; at: Place; session: string }

/** A repository as the path says it: its name, and what stood before `/v2/`. */
export interface Place {
  readonly path: string
  readonly prefix: string
}

/**
 * Reads a path (without its query). Undefined when it is no path of the API at all. The last keyword splits it, since
 * names may hold the same words. Throws a RegistryError for what lies under `/v2/` and is nothing there.
 */
export function parsePath(rawPath: string): ApiRequest | undefined {
  const root = apiRoot(rawPath)
  if (!root) return undefined
  const prefix = decode(root.prefix)
  const rest = decode(root.rest)
  if (rest === '') return { kind: 'base', prefix }
  if (rest === '_catalog') return { kind: 'catalog' }
  const last = rest.lastIndexOf('/')
  const tail = rest.slice(last + 1)
  const keywordAt = rest.lastIndexOf('/', last - 1)
  const keyword = rest.slice(keywordAt + 1, Math.max(0, last))
  const at = { path: rest.slice(0, Math.max(0, keywordAt)), prefix }
  if (at.path !== '') {
    if (keyword === 'manifests') return manifestAsked(at, tail)
    if (keyword === 'blobs' && tail !== 'uploads') return { kind: 'blob', at, digest: parseDigest(tail) }
    if (keyword === 'tags' && tail === 'list') return { kind: 'tags', at }
    if (keyword === 'referrers') return { kind: 'referrers', at, digest: parseDigest(tail) }
    const upload = /^(.+)\/blobs\/uploads(?:\/([^/]*))?$/.exec(rest)
    if (upload) return { kind: 'upload', at: { path: upload[1]!, prefix }, session: upload[2] ?? '' }
  }
  throw noSuchPath(rawPath)
}

function manifestAsked(at: Place, reference: string): ApiRequest {
  const [, tag, date] = /^([^@]*)@(\d{4}-\d\d-\d\d.*)$/.exec(reference) ?? []
  if (tag === undefined || date === undefined) return { kind: 'manifest', at, reference: parseReference(reference) }
  return { kind: 'dated', at, tag: parseTag(tag), time: parseDate(date) }
}

/** A day stands for its end, as UTC has it. */
function parseDate(text: string): number {
  const time = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T23:59:59.999Z` : text)
  if (!Number.isNaN(time)) return time
  throw new RegistryError('TAG_INVALID', `what follows a tag's @ must be a date such as 2026-11-25, saw ${quote(text)}`)
}

export function noSuchPath(path: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `no endpoint of the registry API has the path ${quote(path)}`)
}

/** The API lies under `/v2/`, and under `/<prefix>/v2/` for clients that put a mirror's path there. */
function apiRoot(path: string): { prefix: string; rest: string } | undefined {
  if (path.startsWith('/v2/')) return { prefix: '', rest: path.slice(4) }
  if (path === '/v2') return { prefix: '', rest: '' }
  // Pages and the admin API, whose addresses hold names.
  if (path.startsWith('/r/') || path.startsWith('/api/')) return undefined
  const at = path.indexOf('/v2/')
  if (at > 0) return { prefix: path.slice(1, at), rest: path.slice(at + 4) }
  return path.endsWith('/v2') ? { prefix: path.slice(1, -3), rest: '' } : undefined
}

function decode(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    throw new RegistryError('NAME_INVALID', `path must be well-formed percent-encoding, saw ${quote(path)}`)
  }
}

import type { IncomingMessage } from 'node:http'
import { makeBytes, type Bytes } from '../bytes.ts'
import type { Content, Manifest, Repository } from '../content.ts'
import { mediaTypes } from '../manifest-spec.ts'
import { errorAnswer, jsonAnswer, wholeOf, type Answer } from './answer.ts'
import type { Quirks } from './quirks.ts'
import { parseRange } from './range.ts'
import { routeOf, type Route } from './routes.ts'
import { listTags } from './tags.ts'

/** Answers a read of the content by the distribution specification, but for the quirks. */
export function readApi(request: IncomingMessage, content: Content, quirks: Quirks): Answer {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return errorAnswer(405, 'UNSUPPORTED', 'this registry can only be read')
  }
  const route = routeOf(request)
  if (route.kind === 'ping') return jsonAnswer(200, {})
  if (route.kind === 'unknown') return errorAnswer(404, 'NOT_FOUND', 'no such path')
  const repository = content.repositories.get(route.name)
  if (!repository && quirks.missing403) return errorAnswer(403, 'DENIED', 'access denied')
  if (!repository) return errorAnswer(404, 'NAME_UNKNOWN', `repository ${route.name} is not known`)
  return readRepository(request, route, repository, quirks)
}

type RepositoryRoute = Exclude<Route, { kind: 'ping' | 'unknown' }>

function readRepository(
  request: IncomingMessage,
  route: RepositoryRoute,
  repository: Repository,
  quirks: Quirks,
): Answer {
  switch (route.kind) {
    case 'manifest':
      return readManifest(request, repository, route.reference, quirks)
    case 'blob':
      return readBlob(request, repository, route.reference, quirks)
    case 'tags':
      return listTags(repository, route.query, quirks, originOf(request))
    case 'referrers':
      return listReferrers(repository, route.reference, route.query, quirks)
  }
}

function originOf(request: IncomingMessage): string {
  return `${'encrypted' in request.socket ? 'https' : 'http'}://${request.headers.host}`
}

function readManifest(request: IncomingMessage, repository: Repository, reference: string, quirks: Quirks): Answer {
  const manifest =
    repository.findManifest(reference) ?? (quirks.noReferrers ? fallbackTag(repository, reference) : undefined)
  if (!manifest) return errorAnswer(404, 'MANIFEST_UNKNOWN', `manifest ${reference} is not known`)
  if (request.method === 'HEAD' && quirks.headManifest) return headRefused(quirks.headManifest)
  if (request.method === 'HEAD' && quirks.bareHead) return { status: 200, headers: {} }
  const { mediaType, bytes } = manifest
  const digest = reference.startsWith('sha512:') ? reference : bytes.digest
  const headers = contentHeaders(quirks.manifestType ?? mediaType, digest, bytes.size, quirks)
  if (isUnchanged(request, digest)) return { status: 304, headers }
  return { status: 200, headers, body: wholeOf(bytes), digest }
}

function readBlob(request: IncomingMessage, repository: Repository, digest: string, quirks: Quirks): Answer {
  const bytes = repository.findBlob(digest)
  if (!bytes) return errorAnswer(404, 'BLOB_UNKNOWN', `blob ${digest} is not known`)
  if (request.method === 'HEAD' && quirks.headBlob) return headRefused(quirks.headBlob)
  return blobAnswer(request, digest, bytes, quirks)
}

/** A blob or a range of it. */
export function blobAnswer(request: IncomingMessage, digest: string, bytes: Bytes, quirks: Quirks): Answer {
  const headers = contentHeaders('application/octet-stream', digest, bytes.size, quirks)
  if (isUnchanged(request, digest)) return { status: 304, headers }
  const whole = { status: 200, headers, body: wholeOf(bytes), digest }
  const { range, 'if-range': ifRange } = request.headers
  if (quirks.noRange || request.method === 'HEAD' || (ifRange && ifRange !== headers.etag)) return whole
  const asked = parseRange(range, bytes.size)
  if (asked === 'several' && quirks.multiRange400) return errorAnswer(400, 'UNSUPPORTED', 'one range at a time')
  if (asked === 'whole' || asked === 'several') return whole
  if (asked === 'unsatisfiable') {
    return errorAnswer(416, 'RANGE_INVALID', 'past the end', { 'content-range': `bytes */${bytes.size}` })
  }
  const { start, end } = asked
  const part = { 'content-range': `bytes ${start}-${end - 1}/${bytes.size}`, 'content-length': String(end - start) }
  return { status: 206, headers: { ...headers, ...part }, body: { bytes, start, end }, digest }
}

let etags = 0

function contentHeaders(type: string, digest: string, size: number, quirks: Quirks): Record<string, string> {
  const etag = quirks.changingETag ? `"${++etags}"` : `"${digest}"`
  return {
    'content-type': type,
    'content-length': String(size),
    ...(!quirks.noDigest && { 'docker-content-digest': quirks.upperHex ? upperHexOf(digest) : digest }),
    ...(!quirks.noETag && { etag }),
    ...(!quirks.noRange && { 'accept-ranges': 'bytes' }),
  }
}

function upperHexOf(digest: string): string {
  const [algorithm, hex] = digest.split(':')
  return `${algorithm}:${hex?.toUpperCase()}`
}

function isUnchanged(request: IncomingMessage, digest: string): boolean {
  const known = request.headers['if-none-match'] ?? ''
  return known.split(/\s*,\s*/).includes(`"${digest}"`)
}

function headRefused(status: number): Answer {
  return errorAnswer(status, 'UNSUPPORTED', 'HEAD is not for you')
}

function listReferrers(repository: Repository, digest: string, query: URLSearchParams, quirks: Quirks): Answer {
  if (quirks.noReferrers) return errorAnswer(404, 'NOT_FOUND', 'no such path')
  const type = query.get('artifactType')
  const index = referrersIndex(repository, digest, type ?? undefined)
  const filtered = type ? { 'oci-filters-applied': 'artifactType' } : undefined
  return jsonAnswer(200, index, { 'content-type': mediaTypes.ociIndex, ...filtered })
}

function referrersIndex(repository: Repository, subject: string, type?: string) {
  const manifests = repository.referrers(subject).map(({ bytes, mediaType }) => {
    const json = JSON.parse(bytes.read().toString()) as {
      artifactType?: string
      config?: { mediaType: string }
      annotations?: object
    }
    const artifactType = json.artifactType ?? json.config?.mediaType
    return { mediaType, digest: bytes.digest, size: bytes.size, artifactType, annotations: json.annotations }
  })
  const wanted = manifests.filter(({ artifactType }) => type === undefined || artifactType === type)
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: wanted }
}

function fallbackTag(repository: Repository, tag: string): Manifest | undefined {
  const subject = tag.replace(/^(sha256|sha512)-/, '$1:')
  if (subject === tag || repository.referrers(subject).length === 0) return undefined
  const bytes = makeBytes(JSON.stringify(referrersIndex(repository, subject)))
  return { mediaType: mediaTypes.ociIndex, bytes, subject: undefined }
}

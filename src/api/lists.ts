import { quote, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { ociIndex } from '../oci/media-types.ts'
import type { Registry } from '../oci/registry.ts'
import type { Call } from './call.ts'

/** However many are asked for, a page holds no more: what one answer may cost is ours to say (CVE-2023-2253). */
const largestPage = 10_000

/** end-8a, end-8b: tags in lexical order, with a relative Link where there are more. `at` is the name as the client wrote it. */
export async function tags(call: Call, registry: Registry, at: { path: string }): Promise<Response> {
  const n = pageSize(call.query.get('n'))
  const last = call.query.get('last')
  const page = await registry.listTags(
    call.name,
    { ...(n !== undefined && { n }), ...(last !== null && { last }) },
    call,
  )
  const end = page.tags.at(-1)
  const link = page.more && end !== undefined ? { Link: nextLink(call, n!, end) } : {}
  return call.replyJson(link, { name: at.path, tags: page.tags })
}

/** end-12a, end-12b: what refers to a manifest, of one artifact type if one is asked for. */
export async function referrers(call: Call, registry: Registry, digest: Digest): Promise<Response> {
  const { descriptors } = await registry.listReferrers(call.name, digest, call)
  const type = call.query.get('artifactType')
  const manifests = type ? descriptors.filter((descriptor) => descriptor.artifactType === type) : descriptors
  const filtered = type ? { 'OCI-Filters-Applied': 'artifactType' } : {}
  return call.replyJson({ 'Content-Type': ociIndex, ...filtered }, { schemaVersion: 2, mediaType: ociIndex, manifests })
}

export function pageSize(text: string | null): number | undefined {
  if (text === null) return undefined
  if (!/^\d+$/.test(text)) {
    throw new RegistryError('PAGINATION_NUMBER_INVALID', `n must be a whole number from 0, saw ${quote(text)}`)
  }
  return Math.min(largestPage, Number(text))
}

/** Relative, so that it is right whatever stands between us and the client; the client's own `ns` goes along. */
export function nextLink(call: Call, n: number, last: string): string {
  const { query } = call
  query.set('n', String(n))
  query.set('last', last)
  return `<${call.path}?${query.toString()}>; rel="next"`
}

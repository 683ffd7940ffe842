import { RegistryError } from '../oci/errors.ts'
import { maxManifestSize } from '../oci/manifest.ts'
import { parseTag, type Reference } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import { apiVersion, type Call } from './call.ts'
import { readBody } from './read-body.ts'
import type { Place } from './request.ts'

/** The most `?tag=` of one request. */
const mostTags = 100

/** end-7a, end-7b: PUT of a manifest by tag or digest. */
export async function putManifest(
  call: Call,
  registry: Registry,
  { at, reference }: { at: Place; reference: Reference },
): Promise<Response> {
  const asked = call.search === '' ? [] : call.query.getAll('tag')
  if (asked.length > mostTags) {
    const message = `at most ${mostTags} tags can be set at once, saw ${asked.length}`
    throw new RegistryError('TAG_INVALID', message, { status: 414 })
  }
  const tags = asked.map(parseTag)
  const mediaType = (call.incoming.headers['content-type'] ?? '').split(';', 1)[0]!.trim()
  const bytes = await readBody(call.incoming, 'manifest', maxManifestSize)
  const push = { reference, tags, mediaType, bytes, by: call.identity?.user }
  const { digest, subject } = await registry.putManifest(call.name, push)
  const headers = {
    Location: call.urlOf(at, `manifests/${digest}`),
    'Docker-Content-Digest': digest,
    ...(subject && { 'OCI-Subject': subject }),
    ...(tags.length > 0 && { 'OCI-Tag': tags }),
    ...apiVersion,
    'Content-Length': '0',
  }
  return call.reply(201, headers, null)
}

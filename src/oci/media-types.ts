/** Media types of manifests. Stored and served as they came; named here only where a decision needs one. */
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
export const ociIndex = 'application/vnd.oci.image.index.v1+json'
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json'
export const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const octetStream = 'application/octet-stream'

/** One fixed list for every upstream request: a cache entry must not depend on who asked first. */
export const acceptManifests = `${ociIndex}, ${dockerList}, ${ociManifest}, ${dockerManifest}, application/vnd.oci.artifact.manifest.v1+json, */*`

/** Docker's schema 1, signed or not: its digest is not over its bytes, and no client in use accepts it any more. */
export function isSchema1(mediaType: string): boolean {
  return mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+')
}

const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i

/**
 * Whether a text is a media type by RFC 6838, 4.2, without parameters, and one of JSON: what is none must not become a header, and
 * as any other, such as text/html, a manifest would be a page of ours to a browser, with whatever script somebody put into it.
 */
export function isManifestType(text: string): boolean {
  return mediaType.test(text) && /(?:\+|^application\/)json$/i.test(text)
}

export function isIndex(mediaType: string): boolean {
  return mediaType === ociIndex || mediaType === dockerList
}

/** A Content-Type header without its parameters, lower-case. */
export function essence(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

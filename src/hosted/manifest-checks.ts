import { algorithmOf, digestOf, isDigest, quote } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import {
  checkManifest,
  isForeign,
  maxManifestSize,
  mediaTypeOf,
  schema1,
  type ManifestContent,
} from '../oci/manifest.ts'
import { dockerManifest, isIndex, isManifestType, isSchema1, ociManifest } from '../oci/media-types.ts'
import type { ManifestPush } from '../oci/registry.ts'
import type { HostedManifest } from '../metadata/metadata.ts'

/** What a pushed manifest is and needs. Throws MANIFEST_INVALID, DIGEST_INVALID or SIZE_INVALID for what cannot be taken. */
export function readPush({ reference, mediaType: sent, bytes }: ManifestPush): HostedManifest {
  if (bytes.length > maxManifestSize) {
    throw new RegistryError('SIZE_INVALID', `manifest must have at most ${maxManifestSize} bytes, saw ${bytes.length}`)
  }
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256')
  if (isDigest(reference) && digest !== reference) {
    throw new RegistryError('DIGEST_INVALID', `manifest must have the digest ${reference}, saw one of ${digest}`)
  }
  const content = checkManifest(bytes)
  const mediaType = agreedType(sent, content)
  checkShape(mediaType, content)
  const layers = content.layers.filter((layer) => !isForeign(layer))
  return {
    digest,
    mediaType,
    bytes,
    artifactType: content.artifactType || (isIndex(mediaType) ? undefined : content.config?.mediaType) || undefined,
    annotations: content.annotations,
    subject: content.subject?.digest,
    blobs: content.config ? [content.config, ...layers] : layers,
    children: content.manifests.map((child) => child.digest),
    optional: content.layers.filter(isForeign).map((layer) => layer.digest),
  }
}

/** The media type that the header and the body agree on; each may leave it to the other. */
function agreedType(sent: string, content: ManifestContent): string {
  const own = content.mediaType
  if (isSchema1(sent) || isSchema1(own ?? '')) throw schema1()
  if (sent && own && sent !== own) {
    throw new RegistryError(
      'MANIFEST_INVALID',
      `Content-Type must be the manifest's mediaType ${quote(own)}, saw ${quote(sent)}`,
    )
  }
  const type = sent || own || mediaTypeOf(content)
  if (isManifestType(type)) return type
  throw new RegistryError('MANIFEST_INVALID', `Content-Type must be a manifest's, of JSON, saw ${quote(type)}`)
}

/** A document that is an image to one reader and an index to another hides one of the two (CVE-2021-41190). */
function checkShape(mediaType: string, content: ManifestContent): void {
  const image = mediaType === ociManifest || mediaType === dockerManifest
  if (image && content.manifests.length > 0) {
    throw new RegistryError('MANIFEST_INVALID', 'an image manifest must not list manifests')
  }
  if (isIndex(mediaType) && (content.config || content.layers.length > 0)) {
    throw new RegistryError('MANIFEST_INVALID', 'an index must not have a config or layers')
  }
}

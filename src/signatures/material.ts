import type { Descriptor } from '../oci/descriptor.ts'
import type { ManifestContent } from '../oci/manifest.ts'

/** Layers of cosign's signatures. */
export const simpleSigning = 'application/vnd.dev.cosign.simplesigning.v1+json'

export const isBundle = (type: string): boolean => type.startsWith('application/vnd.dev.sigstore.bundle')

/** What else is attached to images: attestations and lists of their packages, all of it JSON. */
const attached = [
  simpleSigning,
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.in-toto+json',
  'application/vnd.cyclonedx+json',
  'application/spdx+json',
  'text/spdx+json',
]

const isAttached = (type: string | undefined): boolean =>
  type !== undefined && (attached.includes(type) || isBundle(type))

/**
 * Whether a manifest is made of signatures and attestations alone, or lists such manifests (the referrers tag schema).
 * It may be served unsigned, for there is nothing in it to run; `isJson` has to hold for its blobs besides.
 */
export function isMaterial({ layers, manifests }: ManifestContent): boolean {
  if (manifests.length > 0) {
    return layers.length === 0 && manifests.every(({ artifactType }) => isAttached(artifactType))
  }
  return layers.length > 0 && layers.every(({ mediaType }) => isAttached(mediaType))
}

/** Whether a referrer may hold a signature; not every list says what its entries are. */
export function maySign({ artifactType }: Descriptor): boolean {
  return artifactType === undefined || isAttached(artifactType)
}

export function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

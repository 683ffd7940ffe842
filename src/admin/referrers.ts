import type { Descriptor } from '../oci/descriptor.ts'

export type ReferrerKind = 'signature' | 'SBOM' | 'provenance' | 'attestation' | 'other'

/** What an artifact that refers to an image is for, by its types. */
export function referrerKind({ artifactType = '', mediaType, annotations = {} }: Descriptor): ReferrerKind {
  const predicate = annotations['in-toto.io/predicate-type'] ?? annotations['dev.sigstore.bundle.predicateType'] ?? ''
  const said = `${artifactType} ${mediaType} ${predicate}`.toLowerCase()
  if (/spdx|cyclonedx|sbom|syft/.test(said)) return 'SBOM'
  if (/slsa|provenance/.test(said)) return 'provenance'
  if (/in-toto|attestation/.test(said)) return 'attestation'
  if (/signature|sigstore|cosign|notary|simplesigning/.test(said)) return 'signature'
  return annotations['vnd.docker.reference.type'] === 'attestation-manifest' ? 'attestation' : 'other'
}

/** Cosign's older form: tags named after the digest, with what they hold as the ending. */
export const cosignTags: readonly { ending: string; kind: ReferrerKind }[] = [
  { ending: 'sig', kind: 'signature' },
  { ending: 'att', kind: 'attestation' },
  { ending: 'sbom', kind: 'SBOM' },
]

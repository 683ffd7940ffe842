import { descriptor, ociManifest } from './push.ts'

// What is attached to images about their packages and how they were built, as cosign and BuildKit write it.

export const spdx = (packages: Record<string, string>) => ({
  spdxVersion: 'SPDX-2.3',
  packages: Object.entries(packages).map(([name, versionInfo]) => ({
    name,
    versionInfo,
    externalRefs: [{ referenceType: 'purl', referenceLocator: `pkg:deb/debian/${name}@${versionInfo}` }],
  })),
})

/** An in-toto statement about a manifest. */
export function statement(digest: string, predicateType: string, predicate: unknown): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  const subject = [{ name: 'app', digest: { [algorithm]: hex } }]
  return JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', predicateType, subject, predicate })
}

export const provenance = {
  buildDefinition: {
    externalParameters: { workflow: { repository: 'https://github.com/org/app', ref: 'refs/tags/v1' } },
  },
  runDetails: { builder: { id: 'https://github.com/org/app/.github/workflows/release.yml' } },
}

export const predicates = { spdx: 'https://spdx.dev/Document', slsa: 'https://slsa.dev/provenance/v1' }

/** A manifest of documents that refers to another one; push its blobs, and `{}`, first. */
export function referrer(artifactType: string, subject: { bytes: string }, ...documents: [string, string][]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType,
    config: descriptor('{}', 'application/vnd.oci.empty.v1+json'),
    layers: documents.map(([mediaType, bytes]) => descriptor(bytes, mediaType)),
    subject: descriptor(subject.bytes, ociManifest),
  })
}

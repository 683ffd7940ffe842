import { describe, expect, it } from 'vitest'
import { readDocument } from '../../src/packages/documents.js'

const read = (json: unknown) => readDocument(Buffer.from(JSON.stringify(json)))
const base64 = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64')
const hex = 'ab'.repeat(32)
const subject = [{ name: 'app', digest: { sha256: hex } }]
const about = [`sha256:${hex}`]

const spdx = {
  spdxVersion: 'SPDX-2.3',
  documentDescribes: ['SPDXRef-image'],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-root' },
  ],
  packages: [
    { SPDXID: 'SPDXRef-image', name: 'app' },
    { SPDXID: 'SPDXRef-root', name: '/' },
    {
      SPDXID: 'SPDXRef-oci',
      name: 'base',
      externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:oci/base@1' }],
    },
    {
      SPDXID: 'SPDXRef-1',
      name: 'libc6',
      versionInfo: '2.36-9',
      externalRefs: [
        { referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:libc6' },
        { referenceType: 'purl', referenceLocator: 'pkg:deb/debian/libc6@2.36-9?arch=amd64' },
      ],
    },
    { SPDXID: 'SPDXRef-2', name: 'left-pad', versionInfo: '1.3.0' },
  ],
}
const spdxPackages = [
  { kind: 'deb', name: 'libc6', version: '2.36-9' },
  { kind: '', name: 'left-pad', version: '1.3.0' },
]

const cyclonedx = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [
    { type: 'operating-system', name: 'debian', version: '12' },
    {
      type: 'library',
      name: 'musl',
      version: '1.2.4-r2',
      purl: 'pkg:apk/alpine/musl@1.2.4-r2',
      properties: [{ name: 'syft:metadata:installedSize', value: '622592' }],
    },
    {
      type: 'application',
      name: 'tool',
      version: '1',
      components: [{ type: 'library', group: '@scope', name: 'part', version: '2', purl: 'pkg:npm/%40scope/part@2' }],
    },
    { type: 'file', name: '/etc/passwd' },
  ],
}
const cyclonedxPackages = [
  { kind: 'apk', name: 'musl', version: '1.2.4-r2', size: 622592 },
  { kind: '', name: 'tool', version: '1' },
  { kind: 'npm', name: '@scope/part', version: '2' },
]

describe('a list of packages', () => {
  it('is read of SPDX and of CycloneDX, without what is the image itself', () => {
    expect(read(spdx)).toEqual({ kind: 'SBOM', format: 'SPDX 2.3', packages: spdxPackages, about: [] })
    expect(read(cyclonedx)).toEqual({ kind: 'SBOM', format: 'CycloneDX 1.6', packages: cyclonedxPackages, about: [] })
  })

  it('is read in the statements of BuildKit and cosign, in cosign’s envelope and in a bundle', () => {
    const statement = (predicateType: string, predicate: unknown) => {
      return { _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject, predicate }
    }
    const wanted = { kind: 'SBOM', format: 'SPDX 2.3', packages: spdxPackages, about }
    const bare = statement('https://spdx.dev/Document', spdx)
    expect(read(bare)).toEqual(wanted)
    expect(read(statement('https://spdx.dev/Document', { Data: JSON.stringify(spdx) }))).toEqual(wanted)
    const envelope = { payloadType: 'application/vnd.in-toto+json', payload: base64(bare), signatures: [{ sig: 'x' }] }
    expect(read(envelope)).toEqual(wanted)
    const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
    expect(read({ mediaType, verificationMaterial: {}, dsseEnvelope: envelope })).toEqual(wanted)
    expect(read(statement('https://cyclonedx.org/bom', cyclonedx))).toMatchObject({ packages: cyclonedxPackages })
  })

  it('has an end, however many it names, and however deep they lie', () => {
    const packages = Array.from({ length: 30_000 }, (_, i) => ({ name: `p${i}` }))
    expect(read({ spdxVersion: 'SPDX-2.3', packages })).toMatchObject({ packages: { length: 20_000 } })
    let components: unknown = []
    for (let i = 0; i < 1_000; i++) components = [{ type: 'library', name: `p${i}`, components }]
    expect(read({ bomFormat: 'CycloneDX', components })).toMatchObject({ packages: { length: 4 } })
  })
})

describe('provenance', () => {
  const statement = (predicateType: string, predicate: unknown) => read({ predicateType, subject, predicate })

  it('names builder and source: GitHub’s, version 1', () => {
    const buildDefinition = {
      externalParameters: { workflow: { repository: 'https://github.com/org/app', ref: 'refs/tags/v1' } },
      resolvedDependencies: [{ uri: 'git+https://github.com/org/app@refs/tags/v1', digest: { gitCommit: 'c0ffee' } }],
    }
    const builder = { id: 'https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1' }
    expect(statement('https://slsa.dev/provenance/v1', { buildDefinition, runDetails: { builder } })).toEqual({
      kind: 'provenance',
      builder: builder.id,
      source: 'https://github.com/org/app',
      revision: 'refs/tags/v1',
      about,
    })
  })

  it('names builder and source: BuildKit’s, versions 0.2 and 1', () => {
    const vcs = { source: 'https://github.com/org/app.git', revision: 'c0ffee' }
    const known = { kind: 'provenance', builder: 'https://ci.example', source: vcs.source, revision: 'c0ffee', about }
    const old = {
      builder: { id: 'https://ci.example' },
      metadata: { 'https://mobyproject.org/buildkit@v1#metadata': { vcs } },
    }
    expect(statement('https://slsa.dev/provenance/v0.2', old)).toEqual(known)
    const details = { builder: { id: 'https://ci.example' }, metadata: { buildkit_metadata: { vcs } } }
    expect(statement('https://slsa.dev/provenance/v1', { runDetails: details })).toEqual(known)
    const configSource = { uri: 'https://github.com/org/app.git#main', digest: { sha1: 'c0ffee' } }
    expect(
      statement('https://slsa.dev/provenance/v0.2', { builder: { id: '' }, invocation: { configSource } }),
    ).toEqual({
      ...known,
      builder: undefined,
      source: configSource.uri,
    })
  })
})

describe('anything else', () => {
  it('is told by its type where it is a statement, and is nothing where it is of no known form', () => {
    const type = 'https://cosign.sigstore.dev/attestation/vuln/v1'
    expect(read({ predicateType: type, subject, predicate: {} })).toEqual({ kind: 'statement', type, about })
    for (const other of [{}, [], 7, null, 'text', { spdxVersion: 7 }, { payload: '%%%' }, { dsseEnvelope: [] }]) {
      expect([other, read(other)]).toEqual([other, undefined])
    }
    expect(readDocument(Buffer.from('{"spdxVersion"'))).toBeUndefined()
  })

  it('may be of any shape inside', () => {
    for (const junk of [null, 7, 'x', [[]], [null, 7, { name: 7 }], { name: {} }]) {
      expect(read({ spdxVersion: 'SPDX-2.3', packages: junk, relationships: junk })).toMatchObject({ packages: [] })
      expect(read({ bomFormat: 'CycloneDX', components: junk })).toMatchObject({ packages: [] })
      const predicate = { builder: junk, materials: junk, metadata: junk, buildDefinition: junk, runDetails: junk }
      expect(read({ predicateType: 'https://slsa.dev/provenance/v1', subject: junk, predicate })).toMatchObject({
        kind: 'provenance',
        builder: undefined,
      })
    }
  })
})

import { makeBytes, type Bytes } from './bytes.ts'
import { Repository, type RepositorySpec } from './content.ts'
import { busyboxEntries, emptyLayer, makeLayer, type Compression, type Layer } from './layers.ts'
import { mediaTypes, type DescriptorSpec } from './manifest-spec.ts'

// Images that real clients unpack, run and inspect. Each function returns one repository's content:
//
//     startUpstream({ content: { 'library/busybox': busyboxImage(), 'library/multi': multiArchImage() } })

export { hasBusybox, hasZstd } from './layers.ts'

export interface ImageOptions {
  /** The manifest's symbolic name, and its tag; `1` if not given. */
  tag?: string
  form?: 'oci' | 'docker'
  architecture?: string
}

/** The architecture of this machine as images name it. */
export const thisArchitecture = process.arch === 'x64' ? 'amd64' : process.arch

/** An image of these layers. Symbolic names: the tag for the manifest, `<tag>.config`, `<tag>.layer0`, ... */
export function imageOf(
  layers: Layer[],
  { tag = '1', form = 'oci', architecture = thisArchitecture }: ImageOptions = {},
) {
  const names = layers.map((_, index) => `${tag}.layer${index}`)
  const blobs = Object.fromEntries(layers.map(({ blob }, index) => [names[index]!, blob]))
  const types = layers.map((layer) => layerType(layer, form))
  return {
    blobs: { ...blobs, [`${tag}.config`]: configOf(layers, architecture) },
    manifests: {
      [tag]: {
        mediaType: form === 'docker' ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
        config: `${tag}.config`,
        layers: names.map((of, index) => ({ of, mediaType: types[index]! })),
      },
    },
    tags: { [tag]: tag },
  } satisfies RepositorySpec
}

function layerType({ compression }: Layer, form: 'oci' | 'docker'): string {
  if (form === 'docker') return mediaTypes.dockerLayerGzip
  return { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd }[compression]
}

function configOf(layers: Layer[], architecture: string): string {
  return JSON.stringify({
    architecture,
    os: 'linux',
    created: '2030-01-01T00:00:00Z',
    config: { Cmd: ['/bin/sh', '-c', 'echo hello from busybox'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: '2030-01-01T00:00:00Z', created_by: 'test' })),
  })
}

/** Busybox in two layers; runs and says `hello from busybox`. */
export function busyboxImage(options: ImageOptions & { compression?: Compression } = {}): RepositorySpec {
  const { compression = 'gzip' } = options
  const note = { path: 'etc/note', content: `${options.tag ?? '1'} ${options.architecture ?? ''}\n` }
  return imageOf([makeLayer(busyboxEntries(), compression), makeLayer([note], compression)], options)
}

/** Layers compressed with zstd; needs the zstd command. */
export function zstdImage(options: ImageOptions = {}): RepositorySpec {
  return busyboxImage({ ...options, compression: 'zstd' })
}

/** Busybox, a layer without a file (twice), and a layer. */
export function emptyLayerImage(options: ImageOptions = {}): RepositorySpec {
  const note = makeLayer([{ path: 'note', content: 'after nothing\n' }])
  return imageOf([makeLayer(busyboxEntries()), emptyLayer(), emptyLayer(), note], options)
}

const large = new Map<string, Bytes>()

/** An image with one layer of about this size (1 GiB), a tar file that holds random bytes; it takes no memory. */
export function largeImage(size = 1024 ** 3, { seed = 1, ...options }: ImageOptions & { seed?: number } = {}) {
  const key = `${size} ${seed}`
  // Kept because hashing takes a second per GiB.
  const blob = large.get(key) ?? makeLayer([{ path: 'large.bin', content: { size, seed } }], 'none').blob
  large.set(key, blob)
  return imageOf([{ blob, compression: 'none', diffId: blob.digest }], options)
}

/**
 * As buildx pushes it: an OCI index of amd64 and arm64, each with an attestation manifest (platform unknown/unknown) that
 * holds provenance and SBOM. Symbolic names: the tag, `amd64`, `arm64`, `amd64.attestation`, ... Only this machine's
 * architecture runs.
 */
export function multiArchImage(tag = '1'): RepositorySpec {
  const images = architectures.map((architecture) => busyboxImage({ tag: architecture, architecture }))
  const attestations = images.map((image, index) => attestationOf(image, architectures[index]!))
  const manifests = [...architectures.map(platformEntry), ...attestations.map(({ entry }) => entry)]
  const all = mergeRepositories([...images, ...attestations.map(({ repository }) => repository)])
  return { ...all, manifests: { ...all.manifests, [tag]: { manifests } }, tags: { [tag]: tag } }
}

/** Docker's form of a multi-arch image: a manifest list of schema 2 manifests. */
export function dockerListImage(tag = '1'): RepositorySpec {
  const images = architectures.map((architecture) => busyboxImage({ tag: architecture, architecture, form: 'docker' }))
  const list = { mediaType: mediaTypes.dockerList, manifests: architectures.map(platformEntry) }
  const all = mergeRepositories(images)
  return { ...all, manifests: { ...all.manifests, [tag]: list }, tags: { [tag]: tag } }
}

const architectures = ['amd64', 'arm64']

function platformEntry(architecture: string): DescriptorSpec {
  return { of: architecture, platform: { architecture, os: 'linux' } }
}

/** One repository with the content of several. */
export function mergeRepositories(parts: RepositorySpec[]): RepositorySpec {
  return {
    blobs: Object.assign({}, ...parts.map(({ blobs }) => blobs)) as NonNullable<RepositorySpec['blobs']>,
    manifests: Object.assign({}, ...parts.map((part) => part.manifests)) as NonNullable<RepositorySpec['manifests']>,
    tags: Object.assign({}, ...parts.map(({ tags }) => tags)) as NonNullable<RepositorySpec['tags']>,
  }
}

function attestationOf(image: RepositorySpec, name: string): { entry: DescriptorSpec; repository: RepositorySpec } {
  const resolved = new Repository(name)
  resolved.add(image)
  const digest = resolved.digest(name)
  const predicates = ['https://slsa.dev/provenance/v1', 'https://spdx.dev/Document']
  const of = (index: number) => `${name}.attestation.layer${index}`
  const statements = predicates.map((predicateType) => makeBytes(statement(predicateType, name, digest)))
  const diffIds = statements.map((bytes) => bytes.digest)
  const config = { architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }
  const layers = predicates.map((predicateType, index) => ({
    of: of(index),
    mediaType: 'application/vnd.in-toto+json',
    annotations: { 'in-toto.io/predicate-type': predicateType },
  }))
  const layerBlobs = Object.fromEntries(statements.map((bytes, index) => [of(index), bytes]))
  return {
    entry: {
      of: `${name}.attestation`,
      platform: { architecture: 'unknown', os: 'unknown' },
      annotations: { 'vnd.docker.reference.digest': digest, 'vnd.docker.reference.type': 'attestation-manifest' },
    },
    repository: {
      blobs: { ...layerBlobs, [`${name}.attestation.config`]: JSON.stringify(config) },
      manifests: { [`${name}.attestation`]: { config: `${name}.attestation.config`, layers } },
    },
  }
}

function statement(predicateType: string, name: string, digest: string): string {
  const subject = [{ name: `pkg:docker/${name}`, digest: { sha256: digest.replace('sha256:', '') } }]
  return JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject, predicate: {} })
}

/** The media types that test content uses. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/**
 * A manifest whose entries are named, not hashed. Without a `mediaType` it is an OCI index if it has `manifests`, else an
 * OCI manifest. `raw` gives the exact bytes instead, for manifests that are wrong or odd.
 */
export interface ManifestSpec {
  mediaType?: string
  config?: EntrySpec
  layers?: EntrySpec[]
  manifests?: EntrySpec[]
  subject?: EntrySpec
  artifactType?: string
  annotations?: Record<string, string>
  /** Leaves `mediaType` out of the JSON, as Helm does; the Content-Type still says it. */
  withoutMediaType?: boolean
  raw?: string | Uint8Array
}

/** A symbolic name, or one with more fields of its descriptor. A digest that no content here has needs its `size`. */
export type EntrySpec = string | DescriptorSpec

export interface DescriptorSpec {
  of: string
  mediaType?: string
  size?: number
  platform?: { os: string; architecture: string; variant?: string }
  annotations?: Record<string, string>
  artifactType?: string
  urls?: string[]
}

export interface Found {
  digest: string
  size: number
  /** Manifests know theirs. */
  mediaType?: string
}

export function mediaTypeOf(spec: ManifestSpec): string {
  return spec.mediaType ?? (spec.manifests ? mediaTypes.ociIndex : mediaTypes.ociManifest)
}

/** The names a manifest refers to. */
export function namesIn(spec: ManifestSpec): string[] {
  const entries = [spec.config, ...(spec.layers ?? []), ...(spec.manifests ?? []), spec.subject]
  return entries.flatMap((entry) => (entry === undefined ? [] : [typeof entry === 'string' ? entry : entry.of]))
}

/** The manifest's bytes; `find` tells what a name stands for. */
export function formatManifest(spec: ManifestSpec, find: (name: string) => Found): Buffer {
  if (spec.raw !== undefined) return Buffer.from(spec.raw)
  const docker = mediaTypeOf(spec) === mediaTypes.dockerManifest
  const configType = docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig
  const layerType = docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip
  const entries = (list: EntrySpec[] | undefined, type: string) => list?.map((entry) => descriptor(entry, type, find))
  const json = {
    schemaVersion: 2,
    ...(!spec.withoutMediaType && { mediaType: mediaTypeOf(spec) }),
    artifactType: spec.artifactType,
    config: entries(spec.config === undefined ? undefined : [spec.config], configType)?.[0],
    layers: entries(spec.layers, layerType),
    manifests: entries(spec.manifests, mediaTypes.ociManifest),
    subject: entries(spec.subject === undefined ? undefined : [spec.subject], mediaTypes.ociManifest)?.[0],
    annotations: spec.annotations,
  }
  return Buffer.from(JSON.stringify(json))
}

function descriptor(entry: EntrySpec, mediaType: string, find: (name: string) => Found) {
  const { of, ...fields } = typeof entry === 'string' ? { of: entry } : entry
  const known = fields.size === undefined ? find(of) : { digest: of, size: fields.size }
  return { mediaType: known.mediaType ?? mediaType, digest: known.digest, size: known.size, ...fields }
}

import type { Descriptor } from './descriptor.ts'
import { isDigest, quote } from './digest.ts'
import { RegistryError } from './errors.ts'
import { dockerList, dockerManifest, isManifestType, ociIndex, ociManifest } from './media-types.ts'

/** The largest manifest kept or accepted, in bytes. Clients refuse larger ones (containerd 4.4 MB, containers/image 4 MB). */
export const maxManifestSize = 4 * 1024 * 1024

/** What a manifest refers to, as far as it says so in the form of an image manifest or an index. */
export interface ManifestContent {
  mediaType: string | undefined
  artifactType: string | undefined
  config: Descriptor | undefined
  layers: Descriptor[]
  /** Children of an index: manifests, or blobs where BuildKit wrote a cache index. */
  manifests: Descriptor[]
  subject: Descriptor | undefined
  annotations: Record<string, string> | undefined
}

/**
 * Reads what a manifest refers to; tolerant of everything it does not need.
 * Throws MANIFEST_INVALID when the bytes are no JSON object.
 */
export function readManifest(bytes: Uint8Array): ManifestContent {
  return contentOf(parseObject(bytes), descriptor)
}

/** The same; undefined where the bytes are no JSON object. */
export function findContent(bytes: Uint8Array): ManifestContent | undefined {
  try {
    return readManifest(bytes)
  } catch {
    return undefined
  }
}

/** As readManifest, for a manifest that is pushed: throws MANIFEST_INVALID also for a descriptor that is none, and for schema 1. */
export function checkManifest(bytes: Uint8Array): ManifestContent {
  const json = parseObject(bytes)
  if (json.schemaVersion === 1) throw schema1()
  return contentOf(json, (value, key) => {
    // Go's clients write null for an empty list and for an absent field.
    if (value === undefined || value === null) return undefined
    const read = descriptor(value)
    if (!read) throw new RegistryError('MANIFEST_INVALID', `${key} must be a descriptor, saw ${quoted(value)}`)
    return read
  })
}

export function schema1(): RegistryError {
  const message = 'manifests of Docker schema 1 are not taken: no client in use reads them; push with a newer client'
  return new RegistryError('MANIFEST_INVALID', message)
}

type ReadDescriptor = (value: unknown, key: string) => Descriptor | undefined

function contentOf(json: Record<string, unknown>, read: ReadDescriptor): ManifestContent {
  const list = (key: string): Descriptor[] => {
    const values = json[key]
    return Array.isArray(values) ? values.map((value) => read(value, key)).filter((d) => d !== undefined) : []
  }
  return {
    mediaType: text(json.mediaType),
    artifactType: text(json.artifactType),
    config: read(json.config, 'config'),
    // Artifact manifests, of a draft of the image specification, call theirs blobs.
    layers: [...list('layers'), ...list('blobs')],
    manifests: list('manifests'),
    subject: read(json.subject, 'subject'),
    annotations: annotations(json.annotations),
  }
}

/** The media type a manifest claims in its own body, or what its shape shows, for upstreams that send none. */
export function mediaTypeOf(content: ManifestContent): string {
  if (content.mediaType && isManifestType(content.mediaType)) return content.mediaType
  const docker = [content.config, ...content.manifests].some((d) => d?.mediaType.startsWith('application/vnd.docker.'))
  if (content.manifests.length > 0) return docker ? dockerList : ociIndex
  return docker ? dockerManifest : ociManifest
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', 'manifest must be JSON in UTF-8', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RegistryError('MANIFEST_INVALID', 'manifest must be a JSON object')
  }
  return value as Record<string, unknown>
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** Levels of a descriptor, at most: what is nested by the thousand breaks whoever writes it out again. */
const deepest = 8

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

const quoted = (value: unknown): string =>
  isDeeper(value, deepest) ? `more than ${deepest} levels` : quote(JSON.stringify(value))

function descriptor(value: unknown): Descriptor | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const given = value as Record<string, unknown>
  const { digest, size } = given
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || isDeeper(value, deepest)) return undefined
  return { ...(given as object), mediaType: text(given.mediaType) ?? '', digest, size }
}

function annotations(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Whether a layer may lie elsewhere: a foreign one, which clients fetch from its URLs. */
export function isForeign({ mediaType, urls }: Descriptor): boolean {
  return !!urls?.length || mediaType.includes('.foreign.') || mediaType.includes('.nondistributable.')
}

/** Everything a manifest is made of: its config, its layers and its children, not what it is about. */
export function partsOf(content: ManifestContent): Descriptor[] {
  return [...(content.config ? [content.config] : []), ...content.layers, ...content.manifests]
}

/** The blobs of an image manifest that a registry holds: its config and layers, without those that lie elsewhere. */
export function blobsOf(content: ManifestContent): Descriptor[] {
  const layers = content.layers.filter((layer) => !layer.urls?.length)
  return content.config ? [content.config, ...layers] : layers
}

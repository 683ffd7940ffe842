import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, digestOf, hexOf, type Digest } from '../oci/digest.ts'
import { ociIndex } from '../oci/media-types.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import { Turns } from '../oci/turns.ts'
import type { HostedManifest, HostedMetadata } from '../metadata/metadata.ts'

interface Index {
  manifests: Descriptor[]
  [key: string]: unknown
}

/**
 * The referrers tag schema: an index under a tag made from the subject's digest, which clients keep for registries without
 * the referrers API. Where a client has made one, others may read it, and it is kept in step with what is pushed since.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export class FallbackTags {
  readonly #metadata: HostedMetadata
  readonly #now: () => number
  readonly #turns = new Turns()

  constructor(metadata: HostedMetadata, now: () => number) {
    this.#metadata = metadata
    this.#now = now
  }

  add(name: RepositoryName, subject: Digest, referrer: Descriptor): Promise<void> {
    return this.#change(name, subject, (manifests) =>
      manifests.some(({ digest }) => digest === referrer.digest) ? manifests : [...manifests, referrer],
    )
  }

  remove(name: RepositoryName, subject: Digest, referrer: Digest): Promise<void> {
    return this.#change(name, subject, (manifests) => manifests.filter(({ digest }) => digest !== referrer))
  }

  #change(name: RepositoryName, subject: Digest, change: (manifests: Descriptor[]) => Descriptor[]): Promise<void> {
    const tag = fallbackTag(subject)
    return this.#turns.take(`${name}:${tag}`, async () => {
      const digest = await this.#metadata.findTag(name, tag)
      const found = digest && (await this.#metadata.findManifest(name, digest))
      const index = found && readIndex(found.bytes)
      if (!index) return
      const manifests = change(index.manifests)
      if (manifests.length === index.manifests.length) return
      const tags = { tags: [tag], immutable: () => false, maxTags: Infinity, silent: true as const }
      await this.#metadata.putManifest(name, indexOf({ ...index, manifests }), tags, this.#now())
    })
  }
}

/** `sha256-<hex>`, each part cut to what a tag has room for. */
function fallbackTag(subject: Digest): Tag {
  return `${algorithmOf(subject).slice(0, 32)}-${hexOf(subject).slice(0, 64)}` as Tag
}

function readIndex(bytes: Uint8Array): Index | undefined {
  const json = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Index>
  return Array.isArray(json.manifests) ? (json as Index) : undefined
}

function indexOf(index: Index): HostedManifest {
  const bytes = new TextEncoder().encode(JSON.stringify(index))
  return {
    digest: digestOf(bytes),
    mediaType: ociIndex,
    bytes,
    artifactType: undefined,
    annotations: undefined,
    subject: undefined,
    blobs: [],
    children: [],
    optional: index.manifests.map(({ digest }) => digest),
  }
}

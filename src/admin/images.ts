import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { readManifest, type ManifestContent } from '../oci/manifest.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Asker, Blob, RegistryReader, TagMoment } from '../oci/registry.ts'
import type { ListedTag, Metadata } from '../metadata/metadata.ts'
import { layersWithHistory, readConfig, type ImageConfig, type Layer } from './image-config.ts'
import { cosignTags, referrerKind, type ReferrerKind } from './referrers.ts'
import { hasPlatform, platformOf, sizeOf, usualOf } from './summaries.ts'
import type { Guard, Visitor } from './visitor.ts'

/** One image: what a manifest and its config say. */
export interface Image {
  readonly digest: Digest
  readonly mediaType: string
  readonly artifactType: string | undefined
  /** Bytes that a pull of it transfers. */
  readonly size: number
  readonly annotations: Readonly<Record<string, string>>
  readonly config: ImageConfig | undefined
  readonly configDigest: Digest | undefined
  readonly layers: readonly (Layer & { readonly stored: boolean })[]
  readonly subject: Digest | undefined
}

export interface PlatformView {
  /** Empty where the index does not say. */
  readonly platform: string
  readonly digest: Digest
}

export interface ReferrerView {
  readonly kind: ReferrerKind
  readonly digest: Digest
  readonly type: string
  readonly size: number | undefined
}

/** Everything about a tag, or a digest, that a page shows. */
export interface ImageView {
  readonly name: RepositoryName
  readonly reference: Reference
  readonly digest: Digest
  readonly mediaType: string
  readonly isHosted: boolean
  /** Why what is shown may be out of date, in words. */
  readonly stale: string | undefined
  readonly tag: ListedTag | undefined
  readonly annotations: Readonly<Record<string, string>>
  /** Of an index; empty for a single image. */
  readonly platforms: readonly PlatformView[]
  /** The image itself, or that of the platform chosen; undefined where it cannot be had, and `problem` says why. */
  readonly image: Image | undefined
  readonly problem: string | undefined
  readonly referrers: readonly ReferrerView[]
  /** Every meaning the tag was seen to have, newest first. */
  readonly history: readonly TagMoment[]
}

export interface ImagesOptions {
  registry: RegistryReader
  metadata: Metadata
  guard: Guard
}

/** A config larger than this is not read, in bytes: real ones are of some KiB. */
const largestConfig = 4 * 1024 * 1024

/** Images behind tags and digests. What is not here is fetched, at the visitor's cost, as if a client had asked for it. */
export class Images {
  readonly #options: ImagesOptions

  constructor(options: ImagesOptions) {
    this.#options = options
  }

  /** `platform` is one of the view's; the usual one where it is none. Throws what the registry throws. */
  async get(visitor: Visitor, name: RepositoryName, reference: Reference, platform = ''): Promise<ImageView> {
    const { registry, guard, metadata } = this.#options
    await guard.expectReadable(visitor, name)
    const asker = guard.asker(visitor, name)
    const manifest = await registry.getManifest(name, reference, asker)
    const content = readManifest(manifest.bytes)
    const children = content.manifests.filter(hasPlatform)
    const chosen = children.find((child) => platformOf(child) === platform) ?? usualOf(children)
    const isSingle = content.manifests.length === 0
    const digest = isSingle ? manifest.digest : chosen?.digest
    const { image, problem } = await this.#shown(name, digest, asker)
    return {
      name,
      reference,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      isHosted: guard.isHosted(name),
      stale: manifest.stale?.reason,
      tag: isTag(reference) ? await metadata.browsing.findTag(name, reference) : undefined,
      annotations: content.annotations ?? {},
      platforms: children.map((child) => ({ platform: platformOf(child), digest: child.digest })),
      image,
      problem,
      referrers: await this.#referrers(name, manifest.digest, content, asker),
      history: isTag(reference) ? await this.history(visitor, name, reference) : [],
    }
  }

  /** Every meaning the tag was seen to have, newest first. */
  async history(visitor: Visitor, name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    const { registry, guard } = this.#options
    await guard.expectReadable(visitor, name)
    return (await registry.tagHistory?.(name, tag, guard.asker(visitor, name))) ?? []
  }

  /** Two images of one repository, by digest, for the same platform. */
  async pair(visitor: Visitor, name: RepositoryName, digests: readonly [Digest, Digest], platform: string) {
    const [from, to] = await Promise.all(digests.map((digest) => this.get(visitor, name, digest, platform)))
    if (!from?.image || !to?.image) {
      throw new RegistryError('MANIFEST_UNKNOWN', from?.problem ?? to?.problem ?? 'there is no image to compare')
    }
    return { from: from.image, to: to.image }
  }

  async #shown(name: RepositoryName, digest: Digest | undefined, asker: Asker) {
    if (!digest) return { image: undefined, problem: 'this index names no image of any platform' }
    try {
      return { image: await this.#image(name, digest, asker), problem: undefined }
    } catch (error) {
      if (error instanceof RegistryError) return { image: undefined, problem: error.message }
      throw error
    }
  }

  async #image(name: RepositoryName, digest: Digest, asker: Asker): Promise<Image> {
    const { registry, metadata } = this.#options
    const { bytes, mediaType } = await registry.getManifest(name, digest, asker)
    const content = readManifest(bytes)
    const config = await this.#config(name, content.config, asker)
    const stored = await metadata.browsing.storedAmong(content.layers.map((layer) => layer.digest))
    return {
      digest,
      mediaType,
      artifactType: content.artifactType,
      size: sizeOf(content),
      annotations: content.annotations ?? {},
      config,
      configDigest: content.config?.digest,
      layers: layersWithHistory(content.layers, config).map((layer) => ({
        ...layer,
        stored: stored.has(layer.descriptor.digest),
      })),
      subject: content.subject?.digest,
    }
  }

  async #config(name: RepositoryName, config: Descriptor | undefined, asker: Asker): Promise<ImageConfig | undefined> {
    const isOfImage =
      config && /^application\/vnd\.(?:oci|docker)\..*(?:config|container\.image)/.test(config.mediaType)
    if (!isOfImage || config.size > largestConfig) return undefined
    return readConfig(await readWhole(await this.#options.registry.getBlob(name, config.digest, undefined, asker)))
  }

  async #referrers(
    name: RepositoryName,
    digest: Digest,
    content: ManifestContent,
    asker: Asker,
  ): Promise<ReferrerView[]> {
    const { registry, metadata } = this.#options
    // An upstream that fails must not take the page with it: what it would list is then not shown.
    const listed = await registry.listReferrers(name, digest, asker).catch((error: unknown) => {
      if (error instanceof RegistryError) return { descriptors: [] }
      throw error
    })
    const attested = content.manifests.filter(({ annotations }) => annotations?.['vnd.docker.reference.type'])
    const found: ReferrerView[] = [...listed.descriptors, ...attested].map((descriptor) => ({
      kind: referrerKind(descriptor),
      digest: descriptor.digest,
      type: descriptor.artifactType ?? descriptor.mediaType,
      size: descriptor.size,
    }))
    for (const { ending, kind } of cosignTags) {
      const tag = `${digest.replace(':', '-')}.${ending}`
      const known = await metadata.browsing.findTag(name, tag as Tag)
      if (known) found.push({ kind, digest: known.digest, type: `tag ${tag}`, size: undefined })
    }
    return found
  }
}

async function readWhole(blob: Blob): Promise<Uint8Array> {
  if (blob.whole) {
    blob.close()
    return blob.whole
  }
  const parts: Buffer[] = []
  try {
    for (let total = 0; total <= largestConfig;) {
      const buffer = Buffer.alloc(64 * 1024)
      const got = await blob.read(buffer)
      if (got === 0) break
      total += got
      parts.push(buffer.subarray(0, got))
    }
  } finally {
    blob.close()
  }
  return Buffer.concat(parts)
}

import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { readManifest } from '../oci/manifest.ts'
import { withinPatience } from '../oci/patience.ts'
import { isTag, splitName, type Reference, type RepositoryName } from '../oci/reference.ts'
import type { Asker, RegistryReader } from '../oci/registry.ts'
import { readWhole } from '../oci/whole-blob.ts'
import type { ListedTag, Metadata } from '../metadata/metadata.ts'
import type { Attached, ReferrerView } from './attached.ts'
import {
  isConfigOfImage,
  largestConfig,
  layersWithHistory,
  mostListed,
  readConfig,
  type ImageConfig,
  type Layer,
} from './image-config.ts'
import type { PinnedTag } from './pins.ts'
import type { SignatureReport, SignaturesOf } from './signature-report.ts'
import { hasPlatform, kindOf, platformOf, sizeOf, usualOf, type ImageKind } from './summaries.ts'
import type { HistoryMoment, TagHistory } from './tag-history.ts'
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

/** Everything about a tag, or a digest, that a page shows. */
export interface ImageView {
  readonly name: RepositoryName
  readonly reference: Reference
  readonly digest: Digest
  readonly mediaType: string
  readonly kind: ImageKind
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
  /** Undefined where nobody could find out. */
  readonly signatures: SignatureReport | undefined
  /** Every meaning the tag was seen to have, newest first. */
  readonly history: readonly HistoryMoment[]
  /** Where the tag means its digest because somebody pinned it to that. */
  readonly pin: PinnedTag | undefined
  /** Until when what the tag has come to mean upstream is held back (minAge), in milliseconds since 1970. */
  readonly heldUntil: number | undefined
}

export interface ImagesOptions {
  registry: RegistryReader
  metadata: Metadata
  guard: Guard
  history: TagHistory
  attached: Attached
  signatures: SignaturesOf
  now: () => number
}

/** How long a page waits for what is found of signatures, in milliseconds. */
const patience = 1_500

/** Images behind tags and digests. What is not here is fetched, at the visitor's cost, as if a client had asked for it. */
export class Images {
  readonly #options: ImagesOptions

  constructor(options: ImagesOptions) {
    this.#options = options
  }

  /** `platform` is one of the view's; the usual one where it is none. Throws what the registry throws. */
  async get(visitor: Visitor, name: RepositoryName, reference: Reference, platform = ''): Promise<ImageView> {
    const { registry, guard, history, attached, signatures } = this.#options
    await guard.expectReadable(visitor, name)
    const asker = guard.asker(visitor, name)
    const manifest = await registry.getManifest(name, reference, asker)
    const content = readManifest(manifest.bytes)
    const children = content.manifests.filter(hasPlatform).slice(0, mostListed)
    const chosen = children.find((child) => platformOf(child) === platform) ?? usualOf(children)
    const isSingle = content.manifests.length === 0
    const digest = isSingle ? manifest.digest : chosen?.digest
    const { image, problem } = await this.#shown(name, digest, asker)
    const [referrers, signed] = await Promise.all([
      attached.of(name, { digest: manifest.digest, content, image: digest }, asker),
      withinPatience(signatures(name, manifest.digest, asker), patience, () => undefined),
    ])
    return {
      name,
      reference,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      kind: kindOf(content),
      isHosted: guard.isHosted(name),
      stale: manifest.stale?.reason,
      annotations: listed(content.annotations),
      platforms: children.map((child) => ({ platform: platformOf(child), digest: child.digest })),
      image,
      problem,
      referrers,
      signatures: signed,
      history: isTag(reference) ? await history.get(visitor, name, reference) : [],
      ...(await this.#tag(name, reference)),
    }
  }

  async #tag(name: RepositoryName, reference: Reference): Promise<Pick<ImageView, 'tag' | 'pin' | 'heldUntil'>> {
    const { metadata, history, now } = this.#options
    if (!isTag(reference)) return { tag: undefined, pin: undefined, heldUntil: undefined }
    const tag = await metadata.browsing.findTag(name, reference)
    const pin = tag?.isPinned ? await history.findPin(name, reference) : undefined
    if (!tag?.movedTo) return { tag, pin, heldUntil: undefined }
    const held = (await metadata.listWithheld(splitName(name))).find(({ digest }) => digest === tag.movedTo)
    return { tag, pin, heldUntil: held && held.until > now() ? held.until : undefined }
  }

  /** Two images of one repository, by digest, for the same platform. */
  async pair(visitor: Visitor, name: RepositoryName, digests: readonly [Digest, Digest], platform: string) {
    const [from, to] = await Promise.all([
      this.get(visitor, name, digests[0], platform),
      this.get(visitor, name, digests[1], platform),
    ])
    return pairOf(from, to)
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
    const layers = layersWithHistory(content.layers.slice(0, mostListed), config)
    const stored = await metadata.browsing.storedAmong(layers.map(({ descriptor }) => descriptor.digest))
    return {
      digest,
      mediaType,
      artifactType: content.artifactType,
      size: sizeOf(content),
      annotations: listed(content.annotations),
      config,
      configDigest: content.config?.digest,
      layers: layers.map((layer) => ({
        ...layer,
        stored: stored.has(layer.descriptor.digest),
      })),
      subject: content.subject?.digest,
    }
  }

  async #config(name: RepositoryName, config: Descriptor | undefined, asker: Asker): Promise<ImageConfig | undefined> {
    if (!config || !isConfigOfImage(config)) return undefined
    const blob = await this.#options.registry.getBlob(name, config.digest, undefined, asker)
    const bytes = await readWhole(blob, largestConfig)
    return bytes && readConfig(bytes)
  }
}

/** Two views to compare. Throws MANIFEST_UNKNOWN where one has no image. */
export function pairOf(from: ImageView, to: ImageView) {
  if (!from.image || !to.image) {
    throw new RegistryError('MANIFEST_UNKNOWN', from.problem ?? to.problem ?? 'there is no image to compare')
  }
  return { from: { ...from, image: from.image }, to: { ...to, image: to.image } }
}

function listed(annotations: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).slice(0, mostListed))
}

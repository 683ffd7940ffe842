import { LRUCache } from 'lru-cache'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { findContent, type ManifestContent } from '../oci/manifest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { RegistryReader } from '../oci/registry.ts'
import { readWhole } from '../oci/whole-blob.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { isConfigOfImage, largestConfig, readConfig } from './image-config.ts'
import { hasPlatform, usualOf } from './summaries.ts'

/** What an image says of its repository. All of it is untrusted text; empty where it says nothing. */
export interface SelfDescription {
  readonly short: string
  /** Markdown. */
  readonly readme: string
  /** Bytes of a README that is left out, as it is larger than `largestReadme`. */
  readonly leftOut: number | undefined
  /** Whether all of the image was here to be read: nothing is fetched for this. */
  readonly whole: boolean
}

/** Bytes of a README, in UTF-8. */
export const largestReadme = 64 * 1024

/** Only the last ones that are attached are looked at: whoever may push may attach thousands, and each view would read them. */
const mostAttached = 50

/** image-spec, annotations.md. Also a label, which is where a Dockerfile puts it. */
const shortKey = 'org.opencontainers.image.description'
/** Ours, for there is no key for it: a whole README in Markdown, as annotation or label. */
const readmeKey = 'io.berth.readme'

export const nothingSaid: SelfDescription = { short: '', readme: '', leftOut: undefined, whole: true }

/** A README, or why there is none. */
type Found = Omit<SelfDescription, 'short'>
const noReadme: Found = { readme: '', leftOut: undefined, whole: true }

/** Reads what is here of images for what they say of themselves. */
export class SelfDescriptions {
  readonly #registry: RegistryReader
  readonly #metadata: Metadata
  // A digest's content never changes; what is attached to it later may.
  readonly #known = new LRUCache<string, SelfDescription>({
    maxSize: 2 * 1024 * 1024,
    sizeCalculation: ({ short, readme }) => 200 + 2 * (short.length + readme.length),
  })

  constructor(registry: RegistryReader, metadata: Metadata) {
    this.#registry = registry
    this.#metadata = metadata
  }

  /** Also of what was attached to a hosted image, as `oras attach` does. */
  async of(name: RepositoryName, digest: Digest): Promise<SelfDescription> {
    const key = `${name}@${digest}`
    const said = this.#known.get(key) ?? (await this.#read(name, digest))
    if (said.whole) this.#known.set(key, said)
    return said.readme === '' && said.leftOut === undefined
      ? { ...said, ...(await this.#attached(name, digest)) }
      : said
  }

  async #read(name: RepositoryName, digest: Digest): Promise<SelfDescription> {
    const top = await this.#manifest(name, digest)
    if (!top) return { ...nothingSaid, whole: false }
    const child = usualOf(top.manifests.filter(hasPlatform))
    const image = child ? await this.#manifest(name, child.digest) : top
    const labels = image && (await this.#labels(name, image.config))
    // The nearer to who pushed, the more it counts: buildx writes annotations on the image unless told otherwise.
    const all = [top.annotations, child?.annotations, image?.annotations, labels]
    const says = (key: string) => all.map((texts) => texts?.[key]?.trim()).find((text) => text) ?? ''
    const readme = says(readmeKey)
    const found = readme === '' && image ? await this.#file(name, image) : readmeOf(readme)
    return { ...found, short: says(shortKey).slice(0, 4_000), whole: found.whole && labels !== undefined }
  }

  /** A README among an artifact's files, as `oras push` makes them: `README.md:text/markdown`. */
  async #file(name: RepositoryName, { layers }: ManifestContent): Promise<Found> {
    const isReadme = ({ annotations }: Descriptor) =>
      /^(?:.*\/)?readme\.(?:md|markdown)$/i.test(annotations?.['org.opencontainers.image.title'] ?? '')
    const isMarkdown = ({ mediaType }: Descriptor) => /^text\/(?:x-)?markdown\b/i.test(mediaType)
    const file = layers.find(isReadme) ?? layers.find(isMarkdown)
    if (!file) return noReadme
    if (file.size > largestReadme) return { ...noReadme, leftOut: file.size }
    const bytes = await this.#blob(name, file.digest, largestReadme)
    return bytes ? readmeOf(new TextDecoder().decode(bytes)) : { ...noReadme, whole: false }
  }

  /** What an upstream would list is not asked for. */
  async #attached(name: RepositoryName, digest: Digest): Promise<Partial<Found>> {
    const referrers = await this.#metadata.hosted.listReferrers(name, digest)
    for (const { digest: artifact } of referrers.slice(-mostAttached).reverse()) {
      const content = await this.#manifest(name, artifact)
      const { readme, leftOut } = content ? await this.#file(name, content) : noReadme
      if (readme !== '' || leftOut !== undefined) return { readme, leftOut }
    }
    return {}
  }

  /** Undefined where the config is not here. */
  async #labels(name: RepositoryName, config: Descriptor | undefined): Promise<Record<string, string> | undefined> {
    if (!config || !isConfigOfImage(config)) return {}
    const bytes = await this.#blob(name, config.digest, largestConfig)
    return bytes && { ...readConfig(bytes)?.labels }
  }

  /** What the store holds, empty for what is larger than its manifest told; undefined for all else. */
  async #blob(name: RepositoryName, digest: Digest, limit: number): Promise<Uint8Array | undefined> {
    if (!(await this.#metadata.browsing.storedAmong([digest])).has(digest)) return undefined
    try {
      return (await readWhole(await this.#registry.getBlob(name, digest), limit)) ?? new Uint8Array()
    } catch (error) {
      if (error instanceof RegistryError) return undefined
      throw error
    }
  }

  async #manifest(name: RepositoryName, digest: Digest): Promise<ManifestContent | undefined> {
    const bytes = await this.#metadata.browsing.findManifest(name, digest)
    return bytes && findContent(bytes)
  }
}

function readmeOf(text: string): Found {
  const size = Buffer.byteLength(text)
  return size > largestReadme ? { ...noReadme, leftOut: size } : { ...noReadme, readme: text.trim() }
}

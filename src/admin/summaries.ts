import { LRUCache } from 'lru-cache'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { findContent, type ManifestContent } from '../oci/manifest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Browsing } from '../metadata/metadata.ts'
import { isTypeOfImageConfig } from './image-config.ts'

/** What takes it: a container engine, Helm, or what was made for it. */
export type ImageKind = 'image' | 'chart' | 'artifact'

/** A manifest in a line of a list. */
export interface Summary {
  readonly kind: ImageKind
  /** `linux/amd64`; empty where the manifest does not say. */
  readonly platforms: readonly string[]
  /** Bytes that a pull of one platform transfers; undefined where that platform's manifest is not here. */
  readonly size: number | undefined
  /** Whose size it is, where there are several. */
  readonly sizeOf: string | undefined
}

const nothing: Summary = { kind: 'image', platforms: [], size: undefined, sizeOf: undefined }

/** What is shown of manifests in lists: read once, for a digest's content never changes. */
export class Summaries {
  readonly #browsing: Browsing
  readonly #known = new LRUCache<string, Summary>({ max: 20_000 })

  constructor(browsing: Browsing) {
    this.#browsing = browsing
  }

  async of(name: RepositoryName, digest: Digest): Promise<Summary> {
    const key = `${name}@${digest}`
    const known = this.#known.get(key)
    if (known) return known
    const content = await this.#read(name, digest)
    if (!content) return nothing
    const summary = content.manifests.length > 0 ? await this.#ofIndex(name, content) : ofImage(content)
    // A size that is not known yet may be, once that platform has been pulled.
    if (summary.size !== undefined) this.#known.set(key, summary)
    return summary
  }

  async #ofIndex(name: RepositoryName, { manifests }: ManifestContent): Promise<Summary> {
    const children = manifests.filter(hasPlatform)
    const platforms = children.map(platformOf)
    const usual = usualOf(children)
    const child = usual && (await this.#read(name, usual.digest))
    return { kind: 'image', platforms, size: child && sizeOf(child), sizeOf: usual && platformOf(usual) }
  }

  async #read(name: RepositoryName, digest: Digest): Promise<ManifestContent | undefined> {
    const bytes = await this.#browsing.findManifest(name, digest)
    return bytes && findContent(bytes)
  }
}

function ofImage(content: ManifestContent): Summary {
  return { kind: kindOf(content), platforms: [], size: sizeOf(content), sizeOf: undefined }
}

const helmConfig = 'application/vnd.cncf.helm.config.v1+json'

/** By what the manifest says it is. An index is of images, whatever else is in it. */
export function kindOf({ config, artifactType, manifests }: ManifestContent): ImageKind {
  if (config?.mediaType === helmConfig) return 'chart'
  if (manifests.length > 0 || !config) return artifactType === undefined ? 'image' : 'artifact'
  return artifactType === undefined && isTypeOfImageConfig(config.mediaType) ? 'image' : 'artifact'
}

/** Config and layers, in bytes. */
export function sizeOf({ config, layers }: ManifestContent): number {
  return layers.reduce((sum, { size }) => sum + size, config?.size ?? 0)
}

/** BuildKit's attestations stand among an index's children with a platform that is none. */
export function hasPlatform({ platform }: Descriptor): boolean {
  return platform?.architecture !== undefined && platform.architecture !== 'unknown'
}

export function platformOf({ platform }: Descriptor): string {
  return [platform?.os, platform?.architecture, platform?.variant].filter((part) => part).join('/')
}

/** The platform shown where one stands for all: what most servers run, else the first. */
export function usualOf(children: readonly Descriptor[]): Descriptor | undefined {
  return children.find((child) => platformOf(child) === 'linux/amd64') ?? children[0]
}

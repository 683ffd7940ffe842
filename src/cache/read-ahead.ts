import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import { Lanes } from '../oci/lanes.ts'
import { findContent, type ManifestContent } from '../oci/manifest.ts'
import { chosenPlatforms, platformOf, type Platform } from '../oci/platform.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Manifest } from '../oci/registry.ts'

/** A blob whose turn will come. */
export interface Ahead {
  readonly name: RepositoryName
  readonly digest: Digest
  readonly size: number
}

/** Fills begun ahead at the same time, at most: the rest follow as these end. */
const atOnce = 24

/** Images remembered of one repository. */
const remembered = 50

/** An image whose manifest was served. */
interface Image {
  pulled: boolean
  /** Undefined where asking for it does not tell that the image is pulled. */
  readonly config: Digest | undefined
  readonly layers: readonly Ahead[]
}

/**
 * Clients fetch three layers at a time. When it is clear that an image is being pulled, all of its layers are on their way:
 * when its first layer is asked for, or its config where it is no child of an index, for containerd reads the configs of
 * all platforms and pulls one. An image that is only looked at costs nothing.
 */
export class ReadAhead {
  readonly #fill: (blob: Ahead) => Promise<void>
  readonly #images = new LRUCache<RepositoryName, Image[]>({ max: 500 })
  /** Children of indexes, with what those say they run on. */
  readonly #children = new LRUCache<string, { platform: Platform | undefined }>({ max: 5000 })
  readonly #wants: (platform: Platform) => boolean
  readonly #seen = new WeakSet<Manifest>()
  readonly #lanes = new Lanes(atOnce)

  /**
   * `fill` fetches a blob if it is not there, and resolves when it is over, however it ended. `platforms` are patterns: of
   * the children of an index, only images for those are fetched ahead; none for all.
   */
  constructor(fill: (blob: Ahead) => Promise<void>, platforms: readonly string[] = []) {
    this.#fill = fill
    this.#wants = chosenPlatforms(platforms)
  }

  /** A client got this manifest. Cheap for one that is served again and again. */
  manifestServed(name: RepositoryName, manifest: Manifest): void {
    if (this.#seen.has(manifest)) return
    this.#seen.add(manifest)
    const content = findContent(manifest.bytes)
    for (const { digest, platform } of content?.manifests ?? []) {
      this.#children.set(`${name}@${digest}`, { platform: platformOf(platform) })
    }
    const layers = content ? layersOf(name, content) : []
    const child = this.#children.get(`${name}@${manifest.digest}`)
    const platform = child?.platform
    if (layers.length === 0 || (platform !== undefined && !this.#wants(platform))) return
    const config = child ? undefined : content?.config?.digest
    const before = this.#images.get(name) ?? []
    this.#images.set(name, [{ pulled: false, config, layers }, ...before].slice(0, remembered))
  }

  /** A client asks for this blob. */
  blobAsked(name: RepositoryName, digest: Digest): void {
    const images = this.#images.get(name)
    if (!images?.some(({ pulled }) => !pulled)) return
    const asked = (image: Image) => image.config === digest || image.layers.some((layer) => layer.digest === digest)
    const [image, another] = images.filter(asked)
    // A blob of several images does not tell which of them is being pulled; the next one will.
    if (!image || another || image.pulled) return
    image.pulled = true
    for (const layer of image.layers) if (layer.digest !== digest) void this.#lanes.use(() => this.#fill(layer))
  }
}

/** What a client unpacks; nothing of an attestation. */
function layersOf(name: RepositoryName, content: ManifestContent): Ahead[] {
  const layers = content.layers.filter((layer) => !layer.urls?.length)
  if (layers.every((layer) => layer.mediaType.startsWith('application/vnd.in-toto'))) return []
  return layers.map(({ digest, size }) => ({ name, digest, size }))
}

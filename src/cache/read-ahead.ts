import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import { readManifest } from '../oci/manifest.ts'
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

/**
 * Clients fetch three layers at a time. When the first layer of an image is asked for, the others are on their way as well.
 * An image that is only looked at costs nothing, and looking includes its config: containerd reads those of all platforms.
 */
export class ReadAhead {
  readonly #fill: (blob: Ahead) => Promise<void>
  /** The images that have a layer; the platforms of one often share some. */
  readonly #images = new LRUCache<string, Manifest[]>({ max: 1000 })
  readonly #seen = new WeakSet<Manifest>()
  readonly #queue: Ahead[] = []
  #running = 0

  /** `fill` fetches a blob if it is not there, and resolves when it is over, however it ended. */
  constructor(fill: (blob: Ahead) => Promise<void>) {
    this.#fill = fill
  }

  /** A client got this manifest. Cheap for one that is served again and again. */
  manifestServed(name: RepositoryName, manifest: Manifest): void {
    if (this.#seen.has(manifest)) return
    this.#seen.add(manifest)
    for (const { digest } of layersOf(manifest)) {
      const key = `${name}@${digest}`
      this.#images.set(key, [...(this.#images.get(key) ?? []), manifest])
    }
  }

  /** A client asks for this blob. */
  blobAsked(name: RepositoryName, digest: Digest): void {
    const [manifest, another] = this.#images.get(`${name}@${digest}`) ?? []
    // A layer of several images does not tell which of them is being pulled; the next one will.
    if (!manifest || another) return
    for (const blob of layersOf(manifest)) {
      this.#images.delete(`${name}@${blob.digest}`)
      if (blob.digest !== digest) this.#queue.push({ name, digest: blob.digest, size: blob.size })
    }
    this.#next()
  }

  #next(): void {
    while (this.#running < atOnce) {
      const blob = this.#queue.shift()
      if (!blob) return
      this.#running++
      void this.#fill(blob).finally(() => {
        this.#running--
        this.#next()
      })
    }
  }
}

function layersOf(manifest: Manifest) {
  try {
    return readManifest(manifest.bytes).layers.filter((layer) => !layer.urls?.length)
  } catch {
    return []
  }
}

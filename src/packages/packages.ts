// What is installed in images: read from what is attached to them as lists of packages, else from their layers, where all of
// these are here. Done on a thread of its own, within limits, one thing at a time, and remembered by digest.
import { LRUCache } from 'lru-cache'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { Flights } from '../oci/flights.ts'
import { Lanes } from '../oci/lanes.ts'
import { packagesIn } from './image.ts'
import type { AttachedDocument, Compression, Database, LayerFindings, Package } from './package.ts'
import { NotRead, ReadingThread, type Content, type ThreadLimits } from './thread.ts'

export { comparePackages, sizeOf, type PackageChange } from './comparison.ts'
export type { AttachedDocument, Package } from './package.ts'
export { NotRead } from './thread.ts'

export interface PackagesOptions {
  /** A blob that is on the disk here; undefined where it is not. */
  open: (digest: Digest) => Promise<Content | undefined>
  limits?: Partial<PackageLimits>
}

export interface PackageLimits extends ThreadLimits {
  /** Bytes of all layers of an image as they are stored. */
  readonly image: number
  /** Bytes of a document. */
  readonly document: number
  /** How many images and documents may wait. */
  readonly waiting: number
}

/** What is installed, as the layers of an image say. */
export interface Installed {
  readonly packages: readonly Package[]
  /** Databases that are there, and that nobody read. */
  readonly unread: readonly Database[]
}

const usual: PackageLimits = {
  patience: 30_000,
  unpacked: 4 * 1024 ** 3,
  image: 2 * 1024 ** 3,
  document: 16 * 1024 ** 2,
  waiting: 20,
}

/** Packages that are remembered, of layers and of documents each. */
const remembered = 200_000
/** How long it is remembered that something could not be read, in milliseconds: trying costs as much as limits allow. */
const failuresKept = 600_000

type Known<T> = { readonly found: T } | { readonly failed: NotRead }

/** Reads packages. Each method rejects with NotRead, whose message says why. */
export class Packages {
  readonly #open: PackagesOptions['open']
  readonly #limits: PackageLimits
  readonly #thread: ReadingThread
  /** The thread does one thing after another. */
  readonly #lane = new Lanes(1)
  readonly #flights = new Flights()
  readonly #layers = new LRUCache<Digest, Known<LayerFindings>>({
    maxSize: remembered,
    sizeCalculation: (known) => 10 + ('found' in known ? countOf(known.found.databases) : 0),
  })
  readonly #documents = new LRUCache<Digest, Known<AttachedDocument | undefined>>({
    maxSize: remembered,
    sizeCalculation: (known) =>
      10 + ('found' in known && known.found?.kind === 'SBOM' ? known.found.packages.length : 0),
  })

  constructor({ open, limits }: PackagesOptions) {
    this.#open = open
    this.#limits = { ...usual, ...limits }
    this.#thread = new ReadingThread(this.#limits)
  }

  /** What the layers of an image say, the lowest of which comes first. */
  ofLayers(layers: readonly Descriptor[]): Promise<Installed> {
    return this.#share(layers.map(({ digest }) => digest).join(), async () => {
      const stored = layers.reduce((sum, { size }) => sum + size, 0)
      if (stored > this.#limits.image) {
        throw new NotRead(`its layers have more than ${Math.round(this.#limits.image / 2 ** 20)} MiB`)
      }
      const findings: LayerFindings[] = []
      for (const layer of layers) findings.push(await this.#layer(layer))
      return packagesIn(findings)
    })
  }

  /** What a document says; `read` is asked for its bytes where it is not remembered. Undefined for one of another form. */
  document({ digest, size }: Descriptor, read: () => Promise<Uint8Array>): Promise<AttachedDocument | undefined> {
    return this.#share(digest, () =>
      this.#remember(this.#documents, digest, async () => {
        if (size > this.#limits.document) throw new NotRead('it is larger than what is read of this kind')
        const bytes = await read()
        return this.#lane.use(() => this.#thread.document(new Uint8Array(bytes)))
      }),
    )
  }

  stop(): void {
    this.#thread.stop()
  }

  #layer({ digest, mediaType }: Descriptor): Promise<LayerFindings> {
    return this.#remember(this.#layers, digest, async () => {
      const compression = compressionOf(mediaType)
      const content = await this.#open(digest)
      if (!content) throw new Absent('not all of its layers are here')
      try {
        return await this.#lane.use(() => this.#thread.layer(content, compression))
      } finally {
        content.close()
      }
    })
  }

  async #remember<T extends object | undefined>(
    cache: LRUCache<Digest, Known<T>>,
    digest: Digest,
    find: () => Promise<T>,
  ): Promise<T> {
    const known = cache.get(digest)
    if (known && 'found' in known) return known.found
    if (known) throw known.failed
    try {
      const found = await find()
      cache.set(digest, { found })
      return found
    } catch (error) {
      if (error instanceof NotRead && !(error instanceof Absent)) {
        cache.set(digest, { failed: error }, { ttl: failuresKept })
      }
      throw error
    }
  }

  async #share<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (!this.#flights.has(key) && this.#flights.size >= this.#limits.waiting) {
      throw new Absent('many others are being read: try again in a moment')
    }
    return this.#flights.share(key, work)
  }
}

/** It may be otherwise at any moment, and is not remembered. */
class Absent extends NotRead {}

const countOf = (databases: readonly Database[]): number =>
  databases.reduce((sum, { packages }) => sum + packages.length + 1, 0)

/** By the media types of OCI and Docker; an old or unknown one is of gzip, as all were once. */
function compressionOf(mediaType: string): Compression {
  if (mediaType.endsWith('zstd')) return 'zstd'
  return mediaType.endsWith('.tar') ? 'none' : 'gzip'
}

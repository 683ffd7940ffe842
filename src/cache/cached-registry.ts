import { algorithmOf, digestOf, type Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type {
  Asker,
  Blob,
  BlobHead,
  Manifest,
  Referrers,
  RegistryReader,
  RegistrySource,
  Soon,
  TagMoment,
  TagPage,
  TagQuery,
} from '../oci/registry.ts'
import { pageOf } from '../oci/tag-page.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { CachedBlobs } from './cached-blobs.ts'
import type { Lists } from './lists.ts'
import type { Manifests } from './manifests.ts'
import type { ReadAhead } from './read-ahead.ts'
import type { UpstreamPins } from './tag-pins.ts'
import type { Tags } from './tags.ts'
import type { Withheld } from './withheld.ts'

/** What a cached registry is put together of. */
export interface CachedRegistryParts {
  upstream: string
  reader: RegistrySource
  metadata: Metadata
  withheld: Withheld
  pins: UpstreamPins
  manifests: Manifests
  tags: Tags
  /** Whether askers may have what is fresh checked (no-cache). */
  forcible: boolean
  blobs: CachedBlobs
  readAhead: ReadAhead | undefined
  tagLists: Lists<TagPage>
  referrers: Lists<Referrers>
}

/** One upstream as its cache serves it: which part answers what, and what is held back. */
export class CachedRegistry implements RegistryReader {
  readonly #parts: CachedRegistryParts

  constructor(parts: CachedRegistryParts) {
    this.#parts = parts
  }

  getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const found = this.#find(name, reference, asker)
    return found instanceof Promise ? found.then((manifest) => this.#served(name, manifest)) : this.#served(name, found)
  }

  #find(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const { tags, manifests, withheld, pins } = this.#parts
    if (isTag(reference)) {
      const pinned = pins.digestOf(name, reference)
      return pinned === undefined ? tags.get(name, reference, asker) : this.#findPinned(name, reference, pinned, asker)
    }
    const clear = !withheld.used || (algorithmOf(reference) === 'sha256' && manifests.isHot(name, reference))
    if (!clear) return this.#findUnlessNew(name, reference, asker)
    return manifests.get(name, reference, asker)
  }

  /** What a tag is pinned to, under all that holds for a digest. Who wants it checked has the upstream asked all the same. */
  #findPinned(name: RepositoryName, tag: Tag, pinned: Digest, asker?: Asker): Soon<Manifest> {
    if (!this.#isForced(asker)) return this.#find(name, pinned, asker)
    return this.#parts.tags.look(name, tag, asker).then(() => this.#find(name, pinned, asker))
  }

  /** What is not here may be held back as soon as it is known which tag it belongs to; it is held back by its sha256. */
  async #findUnlessNew(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Manifest> {
    const { tags, manifests, withheld } = this.#parts
    const usual = algorithmOf(digest) === 'sha256'
    if (!(await manifests.find(name, digest))) {
      await tags.lookForNew(name, asker)
      if (!usual) await withheld.checkUnnamed(name, digest)
    }
    const manifest = await manifests.get(name, digest, asker)
    if (!usual) await withheld.check(name, digestOf(manifest.bytes))
    return manifest
  }

  // A HEAD fetches the manifest: whoever asks for it is about to pull it, and the GET that follows is then a hit.
  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    return this.#find(name, reference, asker)
  }

  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Soon<Blob> {
    const held = this.#checkHeld(name, digest, asker)
    const get = () => {
      // What Berth reads for its own sake is no pull; what is fetched in the background, layer by layer, needs nothing ahead.
      if (asker && !asker.background) this.#parts.readAhead?.blobAsked(name, digest)
      return this.#parts.blobs.get(name, digest, range, asker)
    }
    return held ? held.then(get) : get()
  }

  /** Rejects for a blob that is held back; undefined where there is no minAge. */
  #checkHeld(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> | undefined {
    return this.#parts.withheld.used ? this.#checkUsed(name, digest, asker) : undefined
  }

  async #checkUsed(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> {
    const { metadata, upstream, tags, withheld } = this.#parts
    const isNamed = async () => (await metadata.findBlobSize({ registry: upstream, name }, digest)) !== undefined
    if (!(await isNamed())) {
      await tags.lookForNew(name, asker)
      // A child of what is held back was not fetched, so that its blobs are not known.
      if (!(await isNamed())) await withheld.checkUnnamed(name, digest)
    }
    await withheld.check(name, digest)
  }

  #served(name: RepositoryName, manifest: Manifest): Manifest {
    this.#parts.readAhead?.manifestServed(name, manifest)
    return manifest
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead> {
    await this.#checkHeld(name, digest, asker)
    return this.#parts.blobs.head(name, digest, asker)
  }

  async listTags(name: RepositoryName, query: TagQuery, asker?: Asker): Promise<TagPage> {
    const { tagLists, reader, metadata, upstream } = this.#parts
    const offline = async () => {
      const known = await metadata.listTags({ registry: upstream, name })
      return known.length > 0 ? { tags: known, more: false } : undefined
    }
    const ask = () => reader.listTags(name, {}, asker)
    return pageOf((await tagLists.get(name, '', { ask, offline, forced: this.#isForced(asker) })).tags, query)
  }

  listReferrers(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Referrers> {
    const { referrers, reader } = this.#parts
    const ask = () => reader.listReferrers(name, digest, asker)
    return referrers.get(name, digest, { ask, forced: this.#isForced(asker) })
  }

  tagHistory(name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    return this.#parts.tags.history(name, tag)
  }

  #isForced(asker: Asker | undefined): boolean {
    return this.#parts.forcible && asker?.noCache === true
  }
}

import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { blobsOf, readManifest } from '../oci/manifest.ts'
import { upstreamOf, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Image } from './images.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

export interface ImageActionsOptions {
  registry: Registry
  metadata: Metadata
  guard: Guard
  workings: Workings
}

/** What may be done to a tag or a digest. Each throws UNAUTHORIZED or DENIED to those who may not, and what the registry throws. */
export class ImageActions {
  readonly #options: ImageActionsOptions

  constructor(options: ImageActionsOptions) {
    this.#options = options
  }

  /** Deletes a hosted tag, or a manifest with all its tags. */
  async delete(visitor: Visitor, name: RepositoryName, reference: Reference): Promise<void> {
    await this.#options.guard.expect(visitor, 'delete', name)
    await this.#options.registry.deleteManifest(name, reference, visitor.identity.user)
    this.#options.guard.done(visitor, 'delete', name, reference)
  }

  /** Gives a hosted manifest another tag; a tag that is there moves. */
  async tag(visitor: Visitor, name: RepositoryName, { from, tag }: { from: Reference; tag: Tag }): Promise<void> {
    const { registry, guard } = this.#options
    await guard.expect(visitor, 'push', name)
    const { mediaType, bytes } = await registry.getManifest(name, from, guard.asker(visitor, name))
    await registry.putManifest(name, { reference: tag, tags: [], mediaType, bytes, by: visitor.identity.user })
    guard.done(visitor, 'tag', name, `${from} as ${tag}`)
  }

  /** Asks the upstream what a tag means, however fresh it is here. Returns the digest that is served from now on. */
  async check(visitor: Visitor, name: RepositoryName, tag: Tag): Promise<Digest> {
    const { registry, guard } = this.#options
    await guard.expectReadable(visitor, name)
    const { digest } = await registry.headManifest(name, tag, guard.asker(visitor, name, true))
    guard.done(visitor, 'check', name, tag)
    return digest
  }

  /** Evicts the blobs of a cached image, of all its platforms that are here; the bytes freed. Its manifests stay. */
  async evict(visitor: Visitor, name: RepositoryName, reference: Reference): Promise<number> {
    const { registry, guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const { digest } = await registry.headManifest(name, reference, guard.asker(visitor, name))
    const blobs = new Set<Digest>()
    await this.#collectBlobs(name, digest, blobs)
    const freed = await workings.evictThese([...blobs], upstreamOf(name))
    guard.done(visitor, 'evict', name, `${reference}, ${freed} bytes`)
    return freed
  }

  /** Evicts every blob that a cached repository names; the bytes freed. Throws NAME_UNKNOWN where nothing of it is here. */
  async evictAll(visitor: Visitor, name: RepositoryName): Promise<number> {
    const { metadata, guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const repository = await metadata.browsing.findRepository(name)
    if (!repository) throw new RegistryError('NAME_UNKNOWN', `nothing of ${name} is here`)
    // What is hosted is never evicted.
    const blobs = repository.registry === undefined ? [] : await metadata.browsing.storedOf(name)
    const freed = await workings.evictThese(blobs, repository.registry ?? '')
    guard.done(visitor, 'evict', name, `everything, ${freed} bytes`)
    return freed
  }

  /** Fetches all of an image that is not here, in the background; resolves once that has begun. */
  async fetch(visitor: Visitor, name: RepositoryName, { digest }: Image): Promise<void> {
    const { guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    await workings.warm.fetch({ references: [`${name}@${digest}`], limit: 1, order: 'version', platforms: [] })
    guard.done(visitor, 'fetch', name, digest)
  }

  async #collectBlobs(name: RepositoryName, digest: Digest, into: Set<Digest>): Promise<void> {
    const bytes = await this.#options.metadata.browsing.findManifest(name, digest)
    if (!bytes) return
    const content = readManifest(bytes)
    for (const blob of blobsOf(content)) into.add(blob.digest)
    for (const child of content.manifests) await this.#collectBlobs(name, child.digest, into)
  }
}

import type { Digest } from '../oci/digest.ts'
import { isAbsence } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { blobsOf, findContent } from '../oci/manifest.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Asker, Manifest, RegistrySource, Soon } from '../oci/registry.ts'
import type { ManifestRecord, Metadata, RepositoryKey } from '../metadata/metadata.ts'
import type { Outcome, ReportCacheEvent } from './events.ts'
import type { HotManifests } from './hot-manifests.ts'
import { Negatives } from './negatives.ts'
import type { Withheld } from './withheld.ts'

export interface ManifestsOptions {
  upstream: string
  reader: RegistrySource
  metadata: Metadata
  hot: HotManifests
  withheld: Withheld
  report: ReportCacheEvent
  now: () => number
}

/** The manifests of one upstream. A digest's content never changes, so one that is here is never asked for again. */
export class Manifests {
  readonly #options: ManifestsOptions
  readonly #flights = new Flights()
  readonly #negatives: Negatives

  constructor(options: ManifestsOptions) {
    this.#options = options
    this.#negatives = new Negatives(options.now)
  }

  get(name: RepositoryName, digest: Digest, asker?: Asker): Soon<Manifest> {
    const held = this.#options.withheld.check(name, digest)
    return held ? held.then(() => this.#get(name, digest, asker)) : this.#get(name, digest, asker)
  }

  #get(name: RepositoryName, digest: Digest, asker?: Asker): Soon<Manifest> {
    const hot = this.#options.hot.manifest(this.keyOf(name, digest))
    if (hot) return this.found(hot, 'hit')
    return this.obtain(name, digest, asker).then(({ manifest, outcome }) => this.found(manifest, outcome))
  }

  isHot(name: RepositoryName, digest: Digest): boolean {
    return this.#options.hot.manifest(this.keyOf(name, digest)) !== undefined
  }

  /** A manifest that is here, else from the upstream, asked once however many want it. Nothing is held back, nothing counted. */
  obtain(name: RepositoryName, digest: Digest, asker?: Asker): Promise<{ manifest: Manifest; outcome: Outcome }> {
    return this.#flights.share(this.keyOf(name, digest), async () => {
      const kept = await this.find(name, digest)
      if (kept) return { manifest: kept, outcome: 'hit' }
      return { manifest: await this.fetch(name, digest, asker), outcome: 'miss' }
    })
  }

  /** A manifest that is here. */
  async find(name: RepositoryName, digest: Digest): Promise<Manifest | undefined> {
    const hot = this.#options.hot.manifest(this.keyOf(name, digest))
    if (hot) return hot
    const kept = await this.#options.metadata.findManifest(this.repository(name), digest)
    return kept && this.#heat(name, kept)
  }

  /** Asks the upstream and keeps what comes; an absence is believed for a while. */
  async fetch(name: RepositoryName, reference: Reference, asker?: Asker): Promise<Manifest> {
    const key = this.keyOf(name, reference)
    this.#negatives.check(key)
    try {
      const manifest = await this.#options.reader.getManifest(name, reference, asker)
      return await this.keep(name, manifest, isTag(reference) ? reference : undefined)
    } catch (error) {
      if (isAbsence(error)) this.#negatives.note(key, error)
      throw error
    }
  }

  async keep(name: RepositoryName, fetched: Manifest, tag: Tag | undefined): Promise<Manifest> {
    const { metadata, now } = this.#options
    const manifest = this.#heat(name, fetched)
    const tagged = tag && { tag, checkedAt: now() }
    await this.written(metadata.putManifest(this.repository(name), manifest, blobsIn(manifest), tagged))
    return manifest
  }

  /** A disk that refuses never fails a pull: what could not be written is fetched again another time. */
  async written<T>(writing: Promise<T>): Promise<T | undefined> {
    try {
      return await writing
    } catch (cause) {
      this.#options.report({ type: 'storage-failure', message: `cannot keep a manifest: ${(cause as Error).message}` })
      return undefined
    }
  }

  #heat(name: RepositoryName, { digest, mediaType, bytes }: ManifestRecord): Manifest {
    const key = this.keyOf(name, digest)
    const known = this.#options.hot.manifest(key)
    if (known) return known
    const manifest = { digest, mediaType, bytes, size: bytes.length }
    this.#options.hot.keepManifest(key, manifest)
    return manifest
  }

  found(manifest: Manifest, outcome: Outcome): Manifest {
    this.#options.metadata.used(manifest.digest, this.#options.now())
    this.#options.report({ type: 'lookup', upstream: this.#options.upstream, kind: 'manifest', outcome })
    return manifest
  }

  keyOf(name: RepositoryName, reference: Reference): string {
    return `${this.#options.upstream}/${name}@${reference}`
  }

  repository(name: RepositoryName): RepositoryKey {
    return { registry: this.#options.upstream, name }
  }
}

/** The blobs a manifest names, with their sizes; nothing of one that is no JSON. */
function blobsIn(manifest: ManifestRecord) {
  const content = findContent(manifest.bytes)
  if (!content) return []
  // BuildKit's cache lists layers as if they were manifests: these too may be asked for as blobs.
  return [...blobsOf(content), ...content.manifests.filter((child) => !child.mediaType.includes('manifest'))]
}

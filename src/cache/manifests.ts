import type { Digest } from '../oci/digest.ts'
import { isAbsence, UpstreamError } from '../oci/errors.ts'
import { blobsOf, readManifest } from '../oci/manifest.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Manifest, RegistryReader, Soon } from '../oci/registry.ts'
import type { ManifestRecord, Metadata, RepositoryKey } from '../metadata/metadata.ts'
import type { Outcome, ReportCacheEvent } from './events.ts'
import { Flights } from './flights.ts'
import { backoffAfter, type Freshness } from './freshness.ts'
import type { HotManifests, HotTag } from './hot-manifests.ts'
import { Negatives } from './negatives.ts'

/** How long clients wait for a check of what is cached, in milliseconds. */
const patience = 3_000

export interface ManifestsOptions {
  upstream: string
  reader: RegistryReader
  metadata: Metadata
  freshness: Freshness
  hot: HotManifests
  report: ReportCacheEvent
  now: () => number
}

/** The manifests and tags of one upstream. A digest's content never changes; a tag is asked about again when its time is over. */
export class Manifests {
  readonly #options: ManifestsOptions
  readonly #hot: HotManifests
  readonly #flights = new Flights()
  readonly #negatives: Negatives

  constructor(options: ManifestsOptions) {
    this.#options = options
    this.#hot = options.hot
    this.#negatives = new Negatives(options.now)
  }

  get(name: RepositoryName, reference: Reference): Soon<Manifest> {
    return isTag(reference) ? this.#byTag(name, reference) : this.#byDigest(name, reference)
  }

  #byDigest(name: RepositoryName, digest: Digest): Soon<Manifest> {
    const key = this.#key(name, digest)
    const hot = this.#hot.manifest(key)
    if (hot) return this.#found(hot, 'hit')
    return this.#flights.share(key, async () => {
      const kept = await this.#options.metadata.findManifest(this.#repository(name), digest)
      if (kept) return this.#found(this.#heat(name, kept), 'hit')
      this.#negatives.check(key)
      try {
        return this.#found(await this.#fetch(name, digest), 'miss')
      } catch (error) {
        if (isAbsence(error)) this.#negatives.note(key, error)
        throw error
      }
    })
  }

  #byTag(name: RepositoryName, tag: Tag): Soon<Manifest> {
    const key = this.#key(name, tag)
    const hot = this.#hot.tag(key)
    if (hot && this.#isFresh(name, tag, hot)) return this.#found(hot.manifest, 'hit')
    return this.#flights.share(key, async () => {
      const kept = hot ?? (await this.#keptTag(name, tag))
      if (!kept) return this.#newTag(name, tag)
      if (this.#isFresh(name, tag, kept)) return this.#found(kept.manifest, 'hit')
      if (kept.stale && this.#options.now() < kept.retryAt) return this.#found(kept.stale, 'stale')
      return this.#checkInTime(name, tag, kept)
    })
  }

  /** A check, or what is cached when the upstream takes too long to answer; the check then goes on for the next who ask. */
  async #checkInTime(name: RepositoryName, tag: Tag, kept: HotTag): Promise<Manifest> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Manifest>((resolve) => {
      timer = setTimeout(() => {
        const message = `upstream ${this.#options.upstream} did not answer within ${patience / 1000} s`
        resolve(this.#found(this.#stale(name, tag, kept, new UpstreamError('timeout', message)), 'stale'))
      }, patience)
    })
    const check = this.#check(name, tag, kept).finally(() => clearTimeout(timer))
    check.catch(() => {})
    return Promise.race([check, late])
  }

  async #newTag(name: RepositoryName, tag: Tag): Promise<Manifest> {
    const key = this.#key(name, tag)
    this.#negatives.check(key)
    try {
      return this.#found(await this.#fetch(name, tag), 'miss')
    } catch (error) {
      if (isAbsence(error)) this.#negatives.note(key, error)
      throw error
    }
  }

  /** The time of a kept tag is over: one HEAD tells whether it still holds, and when that fails it is served as it is. */
  async #check(name: RepositoryName, tag: Tag, kept: HotTag): Promise<Manifest> {
    try {
      const head = await this.#options.reader.headManifest(name, tag)
      if (head.digest === kept.manifest.digest)
        return this.#found(await this.#confirm(name, tag, kept.manifest), 'revalidated')
      if ('bytes' in head) return this.#found(await this.#keep(name, head, tag), 'miss')
      return this.#found(await this.#move(name, tag, head.digest), 'miss')
    } catch (error) {
      if (isAbsence(error)) await this.#forget(name, tag)
      if (!(error instanceof UpstreamError)) throw error
      return this.#found(this.#stale(name, tag, kept, error), 'stale')
    }
  }

  /** A tag that means another digest now. By digest, so that what was announced is what comes, and a known one costs nothing. */
  async #move(name: RepositoryName, tag: Tag, digest: Digest): Promise<Manifest> {
    const manifest = await this.#byDigest(name, digest)
    return this.#confirm(name, tag, manifest)
  }

  async #confirm(name: RepositoryName, tag: Tag, manifest: Manifest): Promise<Manifest> {
    const checkedAt = this.#options.now()
    this.#heatTag(name, tag, manifest, checkedAt)
    await this.#written(
      this.#options.metadata.putTag(this.#repository(name), tag, { digest: manifest.digest, checkedAt }),
    )
    return manifest
  }

  #stale(name: RepositoryName, tag: Tag, kept: HotTag, error: UpstreamError): Manifest {
    const failures = kept.failures + 1
    const wait = Math.max(backoffAfter(failures), error.retryAfter ?? 0)
    const stale = { ...kept.manifest, stale: { since: kept.checkedAt, reason: error.message } }
    this.#hot.keepTag(this.#key(name, tag), { ...kept, failures, retryAt: this.#options.now() + wait, stale })
    return stale
  }

  async #forget(name: RepositoryName, tag: Tag): Promise<void> {
    this.#hot.dropTag(this.#key(name, tag))
    await this.#written(this.#options.metadata.deleteTag(this.#repository(name), tag))
  }

  async #fetch(name: RepositoryName, reference: Reference): Promise<Manifest> {
    const manifest = await this.#options.reader.getManifest(name, reference)
    return this.#keep(name, manifest, isTag(reference) ? reference : undefined)
  }

  async #keep(name: RepositoryName, fetched: Manifest, tag: Tag | undefined): Promise<Manifest> {
    const { metadata, now } = this.#options
    const checkedAt = now()
    const manifest = this.#heat(name, fetched)
    if (tag) this.#heatTag(name, tag, manifest, checkedAt)
    const tagged = tag && { tag, checkedAt }
    await this.#written(metadata.putManifest(this.#repository(name), manifest, blobsIn(manifest), tagged))
    return manifest
  }

  /** A disk that refuses never fails a pull: what could not be written is fetched again another time. */
  async #written(writing: Promise<void>): Promise<void> {
    try {
      await writing
    } catch (cause) {
      this.#options.report({ type: 'storage-failure', message: `cannot keep a manifest: ${(cause as Error).message}` })
    }
  }

  async #keptTag(name: RepositoryName, tag: Tag): Promise<HotTag | undefined> {
    const { metadata } = this.#options
    const record = await metadata.findTag(this.#repository(name), tag)
    const manifest = record && (await metadata.findManifest(this.#repository(name), record.digest))
    return manifest && this.#heatTag(name, tag, this.#heat(name, manifest), record.checkedAt)
  }

  #heat(name: RepositoryName, { digest, mediaType, bytes }: ManifestRecord): Manifest {
    const key = this.#key(name, digest)
    const known = this.#hot.manifest(key)
    if (known) return known
    const manifest = { digest, mediaType, bytes, size: bytes.length }
    this.#hot.keepManifest(key, manifest)
    return manifest
  }

  #heatTag(name: RepositoryName, tag: Tag, manifest: Manifest, checkedAt: number): HotTag {
    const hot = { manifest, checkedAt, failures: 0, retryAt: 0 }
    this.#hot.keepTag(this.#key(name, tag), hot)
    return hot
  }

  #key(name: RepositoryName, reference: Reference): string {
    return `${this.#options.upstream}/${name}@${reference}`
  }

  #isFresh(name: RepositoryName, tag: Tag, kept: HotTag): boolean {
    return this.#options.now() < kept.checkedAt + this.#options.freshness(name, tag)
  }

  #found(manifest: Manifest, outcome: Outcome): Manifest {
    this.#options.metadata.used(manifest.digest, this.#options.now())
    this.#options.report({ type: 'lookup', upstream: this.#options.upstream, kind: 'manifest', outcome })
    return manifest
  }

  #repository(name: RepositoryName): RepositoryKey {
    return { registry: this.#options.upstream, name }
  }
}

/** The blobs a manifest names, with their sizes; nothing of one that is no JSON. */
function blobsIn(manifest: ManifestRecord) {
  try {
    const content = readManifest(manifest.bytes)
    // BuildKit's cache lists layers as if they were manifests: these too may be asked for as blobs.
    return [...blobsOf(content), ...content.manifests.filter((child) => !child.mediaType.includes('manifest'))]
  } catch {
    return []
  }
}

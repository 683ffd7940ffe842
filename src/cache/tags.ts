import type { Digest } from '../oci/digest.ts'
import { isAbsence, RegistryError, UpstreamError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { withinPatience } from '../oci/patience.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Asker, Manifest, RegistrySource, Soon, TagMoment } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { ReportCacheEvent } from './events.ts'
import { backoffAfter, freshUntil, type TagPolicies, type TagPolicy } from './freshness.ts'
import type { HotManifests, HotTag } from './hot-manifests.ts'
import type { Manifests } from './manifests.ts'
import type { UpstreamPins } from './tag-pins.ts'
import type { Withheld } from './withheld.ts'

export interface TagsOptions {
  upstream: string
  reader: RegistrySource
  metadata: Metadata
  policies: TagPolicies
  manifests: Manifests
  hot: HotManifests
  withheld: Withheld
  pins: UpstreamPins
  /** Longest wait for an upstream while there is an answer here, in milliseconds. */
  patience: number
  /** Whether clients may have a tag checked (no-cache). */
  forcible: boolean
  report: ReportCacheEvent
  now: () => number
}

/** After a failure the next check is waited for no longer than this, in milliseconds. */
const patienceAfterFailure = 500
/** Tags that are asked about before a digest is given out, at most. */
const mostLookedAt = 50

/** What tags mean: asked again when their time is over, and served as they were while the upstream cannot say. */
export class Tags {
  readonly #options: TagsOptions
  readonly #manifests: Manifests
  readonly #hot: HotManifests
  readonly #flights = new Flights()

  constructor(options: TagsOptions) {
    this.#options = options
    this.#manifests = options.manifests
    this.#hot = options.hot
  }

  get(name: RepositoryName, tag: Tag, asker?: Asker): Soon<Manifest> {
    return this.#get(name, tag, this.#options.forcible && asker?.noCache === true, asker)
  }

  /**
   * Asks what the tags that are here and have a minAge mean now. Before a digest that is not here is given out: it may be
   * what such a tag has come to mean, and then it is held back.
   */
  async lookForNew(name: RepositoryName, asker?: Asker): Promise<void> {
    const { metadata, policies } = this.#options
    const known = await metadata.listTags(this.#manifests.repository(name))
    const waiting = known.filter((tag) => policies(name, tag).minAge > 0).slice(0, mostLookedAt)
    const asked = waiting.map(async (tag) => this.#get(name, tag, true, asker))
    // A tag that cannot be asked about goes on as it was.
    await Promise.allSettled(asked)
  }

  /** Notes what the upstream says a tag means, and leaves it as it is here. An upstream that cannot say is no matter. */
  async look(name: RepositoryName, tag: Tag, asker?: Asker): Promise<void> {
    try {
      const { digest } = await this.#options.reader.headManifest(name, tag, asker)
      await this.#noted(name, tag, digest)
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
    }
  }

  #get(name: RepositoryName, tag: Tag, forced: boolean, asker?: Asker): Soon<Manifest> {
    const key = this.#manifests.keyOf(name, tag)
    const hot = this.#hot.tag(key)
    const here = hot && this.#withoutAsking(hot, forced)
    if (here) return here
    return this.#flights.share(forced ? `${key} checked` : key, async () => {
      const kept = hot ?? (await this.#kept(name, tag))
      if (!kept) return this.#new(name, tag, asker)
      const answer = this.#withoutAsking(kept, forced)
      if (answer) return answer
      // Nearly out of pulls: what is here is served without a check, until the upstream has told of new ones.
      if (!forced && this.#options.reader.isSparing?.(name, asker)) return this.#manifests.found(kept.manifest, 'hit')
      return this.#checkInTime(name, tag, kept, asker)
    })
  }

  /** Every meaning the tag was seen to have, newest first. */
  history(name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    return this.#options.metadata.tagHistory(this.#manifests.repository(name), tag)
  }

  #withoutAsking(kept: HotTag, forced: boolean): Manifest | undefined {
    const now = this.#options.now()
    if (kept.stale && now < kept.retryAt) return this.#manifests.found(kept.stale, 'stale')
    const fresh = now < kept.freshUntil && (!forced || kept.pinned)
    return fresh ? this.#manifests.found(kept.manifest, 'hit') : undefined
  }

  async #new(name: RepositoryName, tag: Tag, asker?: Asker): Promise<Manifest> {
    const { reader, withheld } = this.#options
    // A HEAD is free where pulls are counted, and may tell that the manifest is here under another tag, or held back.
    if (withheld.used || reader.isSparing?.(name, asker)) {
      const head = await reader.headManifest(name, tag, asker)
      // Where HEAD is refused a GET has been the answer: it is not paid for twice.
      if ('bytes' in head) await this.#manifests.keep(name, head, undefined)
      return this.#move(name, tag, head.digest, asker)
    }
    const manifest = await this.#manifests.fetch(name, tag, asker)
    return this.#manifests.found(this.#heat(name, tag, manifest).manifest, 'miss')
  }

  #checkInTime(name: RepositoryName, tag: Tag, kept: HotTag, asker?: Asker): Promise<Manifest> {
    const { patience, upstream } = this.#options
    const wait = kept.failures > 0 ? Math.min(patience, patienceAfterFailure) : patience
    return withinPatience(this.#check(name, tag, kept, asker), wait, () => {
      const error = new UpstreamError('timeout', `upstream ${upstream} did not answer within ${wait / 1000} s`)
      return this.#manifests.found(this.#stale(name, tag, kept, error), 'stale')
    })
  }

  /** The time of a kept tag is over: one HEAD tells whether it still holds, and when that fails it is served as it is. */
  async #check(name: RepositoryName, tag: Tag, kept: HotTag, asker?: Asker): Promise<Manifest> {
    try {
      const head = await this.#options.reader.headManifest(name, tag, asker)
      // What it means now is known, whatever becomes of fetching it.
      await this.#noted(name, tag, head.digest)
      const policy = this.#options.policies(name, tag)
      const until = await this.#heldUntil(name, tag, head.digest, policy)
      if (head.digest === kept.manifest.digest) return await this.#confirm(name, tag, kept.manifest, 'revalidated')
      if (until !== undefined) return await this.#holdBack(name, tag, kept, { digest: head.digest, until, asker })
      if ('bytes' in head) await this.#manifests.keep(name, head, undefined)
      const moved = await this.#move(name, tag, head.digest, asker)
      this.#tellMoved(name, tag, kept.manifest.digest, moved.digest)
      return moved
    } catch (error) {
      if (isAbsence(error)) await this.#forget(name, tag)
      if (!(error instanceof UpstreamError)) throw error
      return this.#manifests.found(this.#stale(name, tag, kept, error), 'stale')
    }
  }

  /** Until when a meaning is too new to be served; undefined when it is not. */
  async #heldUntil(name: RepositoryName, tag: Tag, digest: Digest, policy: TagPolicy): Promise<number | undefined> {
    if (policy.minAge === 0) return undefined
    const until = (await this.#noted(name, tag, digest)) + policy.minAge
    return this.#options.now() < until ? until : undefined
  }

  /** A tag that means something too new: what it meant before goes on. The new is fetched, to know all that is held back with it. */
  async #holdBack(
    name: RepositoryName,
    tag: Tag,
    kept: HotTag,
    { digest, until, asker }: { digest: Digest; until: number; asker: Asker | undefined },
  ): Promise<Manifest> {
    const { withheld } = this.#options
    const known = await this.#manifests.find(name, digest)
    const manifest = known ?? (await this.#options.reader.getManifest(name, digest, asker))
    // Held back before it is kept: then its blobs can be told from those that were here before.
    await this.#manifests.written(withheld.hold(this.#manifests.repository(name), tag, until, manifest))
    if (!known) await this.#manifests.keep(name, manifest, undefined)
    return this.#confirm(name, tag, kept.manifest, 'revalidated')
  }

  /** A tag that means another digest now. By digest, so that what was announced is what comes, and a known one costs nothing. */
  async #move(name: RepositoryName, tag: Tag, digest: Digest, asker?: Asker): Promise<Manifest> {
    const { policies, withheld, now } = this.#options
    const { manifest } = await this.#manifests.obtain(name, digest, asker)
    const since = await this.#noted(name, tag, digest)
    const free = now() >= since + policies(name, tag).minAge
    if (free) await this.#manifests.written(withheld.release(this.#manifests.repository(name), manifest))
    await withheld.check(name, digest)
    return this.#confirm(name, tag, manifest, 'miss')
  }

  async #confirm(
    name: RepositoryName,
    tag: Tag,
    manifest: Manifest,
    outcome: 'miss' | 'revalidated',
  ): Promise<Manifest> {
    const { checkedAt } = this.#heat(name, tag, manifest)
    const record = { digest: manifest.digest, checkedAt }
    await this.#manifests.written(this.#options.metadata.putTag(this.#manifests.repository(name), tag, record))
    return this.#manifests.found(manifest, outcome)
  }

  #tellMoved(repository: RepositoryName, tag: Tag, before: Digest, digest: Digest): void {
    const { upstream, report, pins } = this.#options
    // Beneath a pin: it is served as before.
    if (pins.digestOf(repository, tag)) return
    report({ type: 'tag-moved', upstream, repository, tag, before, digest })
  }

  #stale(name: RepositoryName, tag: Tag, kept: HotTag, error: UpstreamError): Manifest {
    const failures = kept.failures + 1
    const wait = Math.max(backoffAfter(failures), error.retryAfter ?? 0)
    const stale = { ...kept.manifest, stale: { since: kept.checkedAt, reason: error.message } }
    const retryAt = this.#options.now() + wait
    this.#hot.keepTag(this.#manifests.keyOf(name, tag), { ...kept, failures, retryAt, stale })
    return stale
  }

  async #forget(name: RepositoryName, tag: Tag): Promise<void> {
    this.#hot.dropTag(this.#manifests.keyOf(name, tag))
    await this.#manifests.written(this.#options.metadata.deleteTag(this.#manifests.repository(name), tag))
  }

  /** Since when the upstream is known to say so. */
  async #noted(name: RepositoryName, tag: Tag, digest: Digest): Promise<number> {
    const { metadata, now } = this.#options
    const at = now()
    return (await this.#manifests.written(metadata.noteTag(this.#manifests.repository(name), tag, digest, at))) ?? at
  }

  async #kept(name: RepositoryName, tag: Tag): Promise<HotTag | undefined> {
    const record = await this.#options.metadata.findTag(this.#manifests.repository(name), tag)
    const manifest = record && (await this.#manifests.find(name, record.digest))
    return manifest && this.#heat(name, tag, manifest, record.checkedAt)
  }

  #heat(name: RepositoryName, tag: Tag, manifest: Manifest, checkedAt = this.#options.now()): HotTag {
    const policy = this.#options.policies(name, tag)
    const pinned = policy.freshness === 'pinned'
    const hot = { manifest, checkedAt, freshUntil: freshUntil(policy, checkedAt), pinned, failures: 0, retryAt: 0 }
    this.#hot.keepTag(this.#manifests.keyOf(name, tag), hot)
    return hot
  }
}

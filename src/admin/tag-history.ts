import { RegistryError } from '../oci/errors.ts'
import type { Digest } from '../oci/digest.ts'
import { splitName, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Registry, TagMoment } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { pinnedTags, type PinnedTag } from './pins.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

/** A meaning that a tag had, and whether it can be had still. */
export interface HistoryMoment extends TagMoment {
  /** Whether its manifest is here. */
  readonly here: boolean
}

export interface DeletedTag {
  readonly tag: Tag
  /** Milliseconds since 1970. */
  readonly deletedAt: number
}

export interface TagHistoryOptions {
  registry: Registry
  metadata: Metadata
  guard: Guard
  workings: Workings
  now: () => number
}

/** How many deleted tags are listed. */
const shownDeleted = 20

/** What tags meant before, and how they come to mean it again. */
export class TagHistory {
  readonly #options: TagHistoryOptions

  constructor(options: TagHistoryOptions) {
    this.#options = options
  }

  /** Newest first; of a hosted tag also when it is deleted. Empty where nothing is known. */
  async get(visitor: Visitor, name: RepositoryName, tag: Tag): Promise<HistoryMoment[]> {
    const { registry, guard, metadata } = this.#options
    await guard.expectReadable(visitor, name)
    const moments = (await registry.tagHistory?.(name, tag, guard.asker(visitor, name))) ?? []
    const digests = moments.map(({ digest }) => digest).filter((digest) => digest !== undefined)
    const held = await metadata.browsing.heldAmong(name, digests)
    return moments.map((moment) => ({ ...moment, here: moment.digest !== undefined && held.has(moment.digest) }))
  }

  /** Hosted tags that were deleted lately and not set again; for those who may push. */
  async deleted(visitor: Visitor, name: RepositoryName): Promise<DeletedTag[]> {
    const { guard, metadata } = this.#options
    await guard.expect(visitor, 'push', name)
    return metadata.hosted.listDeletedTags(name, shownDeleted)
  }

  /** Puts a hosted tag back to what it meant before, as a push would. Throws MANIFEST_UNKNOWN, and what a push throws. */
  async rollBack(visitor: Visitor, name: RepositoryName, { tag, digest }: Meaning): Promise<void> {
    const { registry, guard } = this.#options
    await guard.expect(visitor, 'push', name)
    const history = await this.get(visitor, name, tag)
    if (!history.some((moment) => moment.digest === digest)) {
      throw new RegistryError(
        'MANIFEST_UNKNOWN',
        `${name}:${tag} is not known to have meant ${digest}: give it that as a tag`,
      )
    }
    if (!history.some((moment) => moment.digest === digest && moment.here)) {
      throw new RegistryError(
        'MANIFEST_UNKNOWN',
        `${digest} is not here any more: push it again (hosted.retention can keep it)`,
      )
    }
    const { mediaType, bytes } = await registry.getManifest(name, digest, guard.asker(visitor, name))
    await registry.putManifest(name, { reference: tag, tags: [], mediaType, bytes, by: visitor.identity.user })
    guard.done(visitor, 'roll back', name, `${tag} to ${digest}`)
  }

  /**
   * Lets a cached tag mean this digest, whatever its upstream says, until it is released. Fetched now if it is not here.
   * For administrators. Throws UNSUPPORTED for a hosted tag, and what the registry throws for the digest.
   */
  async pin(visitor: Visitor, name: RepositoryName, { tag, digest }: Meaning): Promise<void> {
    const { registry, guard, workings, now } = this.#options
    await guard.expectAdministrator(visitor)
    const repository = this.#upstreamsOwn(name)
    await registry.getManifest(name, digest, guard.asker(visitor, name))
    await workings.pinTag({ ...repository, tag, digest, pinnedAt: now(), by: visitor.identity.user })
    guard.done(visitor, 'pin tag', name, `${tag} to ${digest}`)
  }

  /** Gives a pinned tag back to its upstream. False when it was not pinned. For administrators. */
  async release(visitor: Visitor, name: RepositoryName, tag: Tag): Promise<boolean> {
    const { guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const released = await workings.releaseTag(this.#upstreamsOwn(name), tag)
    if (released) guard.done(visitor, 'release tag', name, tag)
    return released
  }

  /** What a cached tag is pinned to, by whom and since when. */
  async findPin(name: RepositoryName, tag: Tag): Promise<PinnedTag | undefined> {
    return (await pinnedTags(this.#options.metadata)).find((pin) => pin.tag === tag && pin.name === name)
  }

  #upstreamsOwn(name: RepositoryName) {
    if (this.#options.guard.isHosted(name)) {
      throw new RegistryError('UNSUPPORTED', `${name} is hosted here: its tags are rolled back, not pinned`, {
        status: 400,
      })
    }
    return splitName(name)
  }
}

export interface Meaning {
  readonly tag: Tag
  readonly digest: Digest
}

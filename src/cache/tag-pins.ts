import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Metadata, RepositoryKey, TagPin } from '../metadata/metadata.ts'
import type { ReportCacheEvent } from './events.ts'

/**
 * Tags that mean what somebody set them to, whatever their upstream says. What the upstream says is kept beneath, as for
 * every tag: a tag that is released goes on from there. All of them are in memory, for each pull by tag asks.
 */
export class TagPins {
  readonly #metadata: Metadata
  readonly #report: ReportCacheEvent
  readonly #pinned = new Map<string, Digest>()

  constructor(metadata: Metadata, report: ReportCacheEvent) {
    this.#metadata = metadata
    this.#report = report
  }

  async load(): Promise<void> {
    for (const pin of await this.#metadata.pins.listTags()) this.#pinned.set(keyOf(pin, pin.tag), pin.digest)
  }

  /** Undefined for a tag that is as its upstream says. */
  digestOf(repository: RepositoryKey, tag: Tag): Digest | undefined {
    return this.#pinned.size === 0 ? undefined : this.#pinned.get(keyOf(repository, tag))
  }

  async pin(pin: TagPin): Promise<void> {
    const before = this.digestOf(pin, pin.tag) ?? (await this.#beneath(pin, pin.tag))
    await this.#metadata.pins.putTag(pin)
    this.#pinned.set(keyOf(pin, pin.tag), pin.digest)
    this.#tellMoved(pin, pin.tag, before, pin.digest)
  }

  /** False when it was not pinned. */
  async release(repository: RepositoryKey, tag: Tag): Promise<boolean> {
    const before = this.digestOf(repository, tag)
    const removed = await this.#metadata.pins.removeTag(repository, tag)
    this.#pinned.delete(keyOf(repository, tag))
    this.#tellMoved(repository, tag, before, await this.#beneath(repository, tag))
    return removed
  }

  async #beneath(repository: RepositoryKey, tag: Tag): Promise<Digest | undefined> {
    return (await this.#metadata.findTag(repository, tag))?.digest
  }

  #tellMoved({ registry, name }: RepositoryKey, tag: Tag, before?: Digest, digest?: Digest): void {
    if (before === undefined || digest === undefined || before === digest) return
    this.#report({ type: 'tag-moved', upstream: registry, repository: name, tag, before, digest })
  }
}

/** Of one upstream's tags. */
export interface UpstreamPins {
  digestOf(name: RepositoryName, tag: Tag): Digest | undefined
}

const keyOf = ({ registry, name }: RepositoryKey, tag: Tag): string => `${registry}/${name}:${tag}`

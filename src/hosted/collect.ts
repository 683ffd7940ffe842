import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Collected, HostedMetadata } from '../metadata/metadata.ts'
import type { Blobs } from './blobs.ts'
import type { ReportHostedEvent } from './events.ts'
import type { Manifests } from './manifests.ts'
import { keptEarlier, retire, type RetentionRule } from './retention.ts'
import type { Uploads } from './uploads.ts'

/** All in milliseconds. */
export interface CollectionTimes {
  /** From the end of one collection to the next. */
  readonly every: number
  /** How long a blob may wait for a manifest that names it: longer than any push takes. */
  readonly grace: number
  /** How long a manifest that nothing reaches is kept since it was pushed, pulled by digest, or lost its tag. */
  readonly untagged: number
}

export interface CollectorOptions {
  metadata: HostedMetadata
  blobs: Blobs
  uploads: Uploads
  manifests: Manifests
  immutable: (name: RepositoryName, tag: Tag) => boolean
  retention: readonly RetentionRule[]
  times: CollectionTimes
  report: ReportHostedEvent
  now: () => number
}

/** How long the history of a tag is kept after it was deleted, in milliseconds. */
const historyKept = 90 * 24 * 3_600_000

/** One thing that goes, and why. */
export interface Going {
  readonly repository: RepositoryName
  readonly what: string
  readonly why: string
  /** Bytes of a manifest or blob. A blob's are freed when no other repository holds it. */
  readonly size: number
}

/**
 * Removes what nothing reaches, while pushes and pulls go on: each repository in one transaction of the database, which a
 * push either precedes whole or follows; then the files of blobs that no repository is left to hold.
 */
export class Collector {
  readonly #options: CollectorOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.collect(false)
        .catch((cause: unknown) => {
          this.#options.report({ type: 'collection-failed', message: (cause as Error).message })
        })
        .then(() => {
          if (!this.#stopped) this.start()
        })
    }, this.#options.times.every).unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  /** Collects once; a dry run only tells what would go. */
  async collect(dryRun: boolean): Promise<Going[]> {
    const { metadata, uploads } = this.#options
    const gone = await this.letGo(dryRun)
    if (dryRun) return gone
    await uploads.sweep()
    await metadata.expireTagHistory(this.#options.now() - historyKept)
    // Those that `berth collect` has let go, and those of a process that ended in between.
    await this.#free((await metadata.listUnheldBlobs()).map((digest) => ({ digest })))
    return gone
  }

  /**
   * The part of `collect` that another process may do beside the server's: it touches no file, for only the process that
   * stores files knows which are just being pushed.
   */
  async letGo(dryRun: boolean): Promise<Going[]> {
    const gone: Going[] = []
    for (const name of await this.#options.metadata.allRepositories()) {
      if (this.#stopped) break
      gone.push(...(await this.#collectIn(name, dryRun)))
    }
    return gone
  }

  async #collectIn(name: RepositoryName, dryRun: boolean): Promise<Going[]> {
    const { metadata, manifests, retention, times, now, immutable, report } = this.#options
    const at = now()
    const tags = retention.length > 0 ? await metadata.listTagFacts(name) : []
    const retired = retire(retention, name, tags, at).filter(({ tag }) => !immutable(name, tag.tag))
    const earlier = retention.length > 0 ? await metadata.listEarlier(name) : []
    const collected = await metadata.collect(name, {
      at,
      keep: keptEarlier(retention, name, earlier),
      tags: retired.map(({ tag }) => tag),
      untagAs: at - times.untagged + times.grace,
      manifestsBefore: at - times.untagged,
      blobsBefore: at - times.grace,
      dryRun,
    })
    const whys = new Map(retired.map(({ tag, why }) => [tag.tag, why]))
    const going = describe(name, collected, whys)
    if (dryRun) return going
    for (const { digest } of collected.manifests) manifests.forget(name, digest)
    if (going.length > 0) await metadata.forgetIfEmpty(name)
    for (const tag of collected.tags) {
      report({ type: 'tag-retired', repository: name, tag, reason: whys.get(tag) ?? '' })
    }
    for (const { repository, what, why } of going) report({ type: 'collected', repository, what, reason: why })
    return going
  }

  async #free(blobs: readonly { digest: Digest }[]): Promise<void> {
    for (const { digest } of blobs) await this.#options.blobs.free(digest)
  }
}

function describe(name: RepositoryName, { tags, manifests, blobs }: Collected, whys: Map<Tag, string>): Going[] {
  const going = (what: string, why: string, size = 0): Going => ({ repository: name, what, why, size })
  return [
    ...tags.map((tag) => going(`tag ${tag}`, whys.get(tag) ?? '')),
    ...manifests.map(({ digest, size }) =>
      going(`manifest ${digest}`, 'no tag, index, subject or referrer leads to it', size),
    ),
    ...blobs.map(({ digest, size }) => going(`blob ${digest}`, 'no manifest names it', size)),
  ]
}

import type {
  EvictionCandidate,
  FigureName,
  FigureSpan,
  KeptBytes,
  Metadata,
  SpendingSum,
} from '../metadata/metadata.ts'
import type { RepositoryName } from '../oci/reference.ts'
import { parsePinPattern, pinnedTags, type PinnedTag } from './pins.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { FillProgress, Going, Problem, UpstreamState, Workings } from './workings.ts'

/** How far back figures go, and in what steps they are shown, in milliseconds. */
export const windows = {
  day: { length: 86_400_000, step: 15 * 60_000 },
  week: { length: 7 * 86_400_000, step: 3 * 3_600_000 },
  month: { length: 30 * 86_400_000, step: 12 * 3_600_000 },
} as const

export type Window = keyof typeof windows

export type Totals = Readonly<Record<FigureName, number>>

/** A fill with a repository that it is for. */
export interface FillView extends FillProgress {
  readonly name: RepositoryName | undefined
}

export interface EvictionView extends EvictionCandidate {
  readonly name: RepositoryName | undefined
}

/** What is never evicted, as patterns, and tags that are pinned to a digest. */
export interface PinsView {
  readonly settings: readonly string[]
  readonly added: readonly string[]
  readonly tags: readonly PinnedTag[]
}

export interface CacheView {
  readonly window: Window
  readonly since: number
  readonly totals: Totals
  /** By upstream. */
  readonly totalsOf: ReadonlyMap<string, Totals>
  readonly spans: readonly FigureSpan[]
  /** Bytes of cached blobs, what they may be at most, and what is free on the disk. */
  readonly storage: {
    readonly bytes: number
    readonly maxSize: number
    readonly free: number
    readonly minFree: number
  }
  readonly kept: readonly KeptBytes[]
  /** What would be evicted first. */
  readonly next: readonly EvictionView[]
  readonly pins: PinsView
  readonly fills: readonly FillView[]
  readonly upstreams: readonly UpstreamState[]
  readonly problems: readonly Problem[]
}

export interface CacheAdminOptions {
  metadata: Metadata
  guard: Guard
  workings: Workings
  now: () => number
}

const shownEvictions = 10

/** What operators see of the cache, and do to it. All of it is for administrators. */
export class CacheAdmin {
  readonly #options: CacheAdminOptions

  constructor(options: CacheAdminOptions) {
    this.#options = options
  }

  async view(visitor: Visitor, window: Window): Promise<CacheView> {
    const { metadata, guard, workings, now } = this.#options
    await guard.expectAdministrator(visitor)
    const { length, step } = windows[window]
    const since = now() - length
    const totalsOf = new Map<string, Record<FigureName, number>>()
    for (const { figure, subject, value } of await metadata.figures.totals(since)) {
      const totals = totalsOf.get(subject) ?? nothing()
      totals[figure] = value
      totalsOf.set(subject, totals)
    }
    const { limits } = workings
    return {
      window,
      since,
      // What is hosted here costs no upstream anything, and saves nothing.
      totals: sum([...totalsOf].filter(([subject]) => subject !== '').map(([, totals]) => totals)),
      totalsOf,
      spans: await metadata.figures.spans(since, step),
      storage: {
        bytes: await metadata.storedBytes(),
        maxSize: limits.maxSize,
        free: await workings.free(),
        minFree: limits.minFree,
      },
      kept: await metadata.browsing.keptByUpstream(),
      next: await this.#named(await metadata.listEvictableBlobs(shownEvictions)),
      pins: await this.pins(visitor),
      fills: await this.fills(visitor),
      upstreams: workings.upstreams(),
      problems: workings.problems(),
    }
  }

  async fills(visitor: Visitor): Promise<FillView[]> {
    await this.#options.guard.expectAdministrator(visitor)
    return this.#named(this.#options.workings.fills())
  }

  /** On whose behalf pulls were spent from the day of `since` (milliseconds since 1970) on, the most first. */
  async spending(visitor: Visitor, since: number, limit: number): Promise<readonly SpendingSum[]> {
    await this.#options.guard.expectAdministrator(visitor)
    return this.#options.metadata.spending.since(since, limit)
  }

  /** Evicts what limits and idleness ask for; returns the bytes freed. */
  async evict(visitor: Visitor): Promise<number> {
    const { guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const freed = await workings.evict()
    guard.done(visitor, 'evict', undefined, `${freed} bytes`)
    return freed
  }

  /** Removes what nothing reaches from what is hosted, or tells what would go. */
  async collect(visitor: Visitor, dryRun: boolean): Promise<readonly Going[]> {
    const { guard, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const gone = await workings.collect(dryRun)
    if (!dryRun) guard.done(visitor, 'collect', undefined, `${gone.length} things`)
    return gone
  }

  async pins(visitor: Visitor): Promise<PinsView> {
    const { guard, metadata, workings } = this.#options
    await guard.expectAdministrator(visitor)
    const { limits } = workings
    return { settings: limits.pins, added: await metadata.pins.list(), tags: await pinnedTags(metadata) }
  }

  /** Throws TAG_INVALID for what is no pattern. */
  async pin(visitor: Visitor, pattern: string): Promise<void> {
    const { guard, metadata, now } = this.#options
    await guard.expectAdministrator(visitor)
    await metadata.pins.add(parsePinPattern(pattern), now())
    guard.done(visitor, 'pin', undefined, pattern)
  }

  /** False when there was no such pin besides those of the settings. */
  async unpin(visitor: Visitor, pattern: string): Promise<boolean> {
    const { guard, metadata } = this.#options
    await guard.expectAdministrator(visitor)
    const removed = await metadata.pins.remove(pattern)
    if (removed) guard.done(visitor, 'unpin', undefined, pattern)
    return removed
  }

  async #named<T extends { readonly digest: FillProgress['digest'] }>(blobs: readonly T[]) {
    const { browsing } = this.#options.metadata
    return Promise.all(blobs.map(async (blob) => ({ ...blob, name: await browsing.findHolder(blob.digest) })))
  }
}

function nothing(): Record<FigureName, number> {
  return {
    hits: 0,
    misses: 0,
    revalidated: 0,
    stale: 0,
    servedBytes: 0,
    receivedBytes: 0,
    pullsServed: 0,
    pullsSpent: 0,
  }
}

function sum(all: readonly Totals[]): Totals {
  const total = nothing()
  for (const totals of all) for (const figure of Object.keys(total) as FigureName[]) total[figure] += totals[figure]
  return total
}

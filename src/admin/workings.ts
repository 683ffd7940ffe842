import type { AttemptRecord, WarmOrder, WarmResult, WarmRunRecord } from '../metadata/metadata.ts'
import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { RepositoryKey, TagPin } from '../metadata/metadata.ts'

// What goes on inside, as the rooms that do the work tell it. The server's wiring puts it together.

/** A blob that is being fetched. */
export interface FillProgress {
  readonly digest: Digest
  readonly upstream: string
  /** Bytes; undefined until the upstream has told. */
  readonly size: number | undefined
  /** Bytes that are here. */
  readonly present: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export interface UpstreamState {
  readonly name: string
  readonly url: string
  /** Hosts that are given up for a pause, each since when. */
  readonly down: ReadonlyMap<string, number>
  /** What is left of pull limits, by account. */
  readonly budgets: ReadonlyMap<
    string,
    { readonly remaining: number; readonly limit: number | undefined; readonly scarce: boolean; readonly at: number }
  >
  /** Accounts whose credentials do not work. */
  readonly refused: ReadonlyMap<string, { readonly host: string; readonly why: string; readonly since: number }>
}

/** Something that went wrong lately, in words for people; `upstream` is empty where it concerns none. */
export interface Problem {
  readonly at: number
  readonly upstream: string
  readonly message: string
  /** How often in a row. */
  readonly times: number
}

/** What would be collected of what is hosted, or was. */
export interface Going {
  readonly repository: string
  readonly what: string
  readonly why: string
  /** Bytes. */
  readonly size: number
}

/** A receiver of webhooks, and how telling it goes. */
export interface HookState {
  readonly name: string
  /** The rest of its URL may be secret. */
  readonly host: string
  /** None for all. */
  readonly events: readonly string[]
  readonly match: readonly string[]
  /** Events that it is still to be told. */
  readonly waiting: number
  readonly last: AttemptRecord | undefined
  /** When it is told next of something that waits, in milliseconds since 1970. */
  readonly nextAt: number | undefined
}

/** An event that a receiver is still to be told. */
export interface WaitingEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly createdAt: number
  readonly attempts: number
  readonly dueAt: number
  /** Why the last attempt failed. */
  readonly problem: string | undefined
}

/** Unknown names are undefined, or nothing. */
export interface WebhookWorkings {
  list(): Promise<readonly HookState[]>
  /** Oldest first. */
  waitingFor(name: string, limit: number): Promise<readonly WaitingEvent[] | undefined>
  /** Sends what waits now, all of it or one event; how many that are. */
  sendAgain(name: string, id?: string): Promise<number>
  test(name: string): Promise<AttemptRecord | undefined>
}

/** How a run of a warm list does. Times are in milliseconds since 1970. */
export interface WarmRunState extends WarmRunRecord {
  readonly references: readonly {
    readonly reference: string
    readonly outcome: WarmResult['outcome'] | 'waiting' | 'running'
    /** Why it is not `ok`. */
    readonly message: string | undefined
    readonly bytes: number
    readonly at: number | undefined
  }[]
  /** Of blobs that were not here before. */
  readonly bytes: number
}

export interface WarmListState extends WarmOrder {
  readonly name: string
  /** Cron's, in UTC. */
  readonly schedule?: string | undefined
  readonly nextAt: number | undefined
  /** The run that goes on, else the last one. */
  readonly run: WarmRunState | undefined
}

export interface WarmWorkings {
  lists(): Promise<readonly WarmListState[]>
  /** The newest of what somebody named by hand. */
  byHand(limit: number): Promise<readonly WarmRunState[]>
  find(run: number): Promise<WarmRunState | undefined>
  /** Begins to fetch a list, if that is not going on already; undefined where there is none of this name. */
  fetchList(name: string): Promise<WarmRunState | undefined>
  /** Throws what is wrong with a reference. */
  fetch(order: WarmOrder): Promise<WarmRunState>
  /** Ends a run; false where it is over. */
  cancel(run: number): boolean
}

export interface Workings {
  readonly warm: WarmWorkings
  readonly webhooks: WebhookWorkings
  fills(): readonly FillProgress[]
  upstreams(): readonly UpstreamState[]
  /** Newest first. */
  problems(): readonly Problem[]
  /** Bytes free on the disk. */
  free(): Promise<number>
  readonly limits: { readonly maxSize: number; readonly minFree: number; readonly pins: readonly string[] }
  /** Evicts what limits ask for; the bytes freed. */
  evict(): Promise<number>
  evictThese(digests: readonly Digest[], upstream: string): Promise<number>
  collect(dryRun: boolean): Promise<readonly Going[]>
  /** A namespace was added or removed: what is hosted here counts from now on. */
  namespacesChanged(): Promise<void>
  /** A blob that is on the disk; undefined where it is not. Whoever opened it closes it. */
  openBlob(
    digest: Digest,
  ): Promise<{ size: number; read(into: Uint8Array, position: number): Promise<number>; close(): void } | undefined>
  /** Lets a cached tag mean a digest, whatever its upstream says. */
  pinTag(pin: TagPin): Promise<void>
  /** False when it was not pinned. */
  releaseTag(repository: RepositoryKey, tag: Tag): Promise<boolean>
}

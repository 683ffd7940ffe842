/** What is to be fetched: what a warm list says, or somebody who asked. */
export interface WarmOrder {
  /** As written: `docker.io/library/node:22`, `docker.io/library/node:{20,22}-*`, `docker.io/library/node@sha256:...`. */
  readonly references: readonly string[]
  /** Of each pattern's tags, at most so many. */
  readonly limit: number
  /** Which tags of a pattern come first: those of the highest version, or those that were pulled here most often. */
  readonly order: 'version' | 'pulls'
  /** Patterns of OS/ARCHITECTURE; none leaves it to the upstream's own. */
  readonly platforms: readonly string[]
}

/**
 * `failed`: some of it is not here, or may be out of date. `spared`: it would have cost pulls that the upstream's reserve is to
 * be kept for. `stopped`: somebody ended the run before.
 */
export type WarmOutcome = 'ok' | 'failed' | 'spared' | 'stopped'

/** What became of one reference. */
export interface WarmResult {
  /** By its one name here, with tag or digest; or as written, where it led to nothing. */
  readonly reference: string
  readonly outcome: Exclude<WarmOutcome, 'stopped'>
  /** Why it is not `ok`. */
  readonly message: string | undefined
  /** Of blobs that were not here before. */
  readonly bytes: number
  readonly at: number
}

/** One run of a list, or of what somebody named. Times are in milliseconds since 1970. */
export interface WarmRunRecord {
  readonly id: number
  /** Undefined where somebody named references by hand. */
  readonly list: string | undefined
  readonly order: WarmOrder
  readonly startedAt: number
  /** Undefined while it goes on, or until it does after a restart. */
  readonly endedAt: number | undefined
  readonly outcome: WarmOutcome | undefined
}

/** Runs of warm lists. What was written is there after a kill of the process; a power loss may lose the last moments of it. */
export interface WarmMetadata {
  /** Returns the id of a new run. Of those before it, a few stay known, by list. */
  begin(run: Pick<WarmRunRecord, 'list' | 'order' | 'startedAt'>): Promise<number>
  putResult(run: number, result: WarmResult): Promise<void>
  end(run: number, outcome: WarmOutcome, at: number): Promise<void>
  find(run: number): Promise<WarmRunRecord | undefined>
  /** In the order in which each was put first. */
  results(run: number): Promise<WarmResult[]>
  /** Runs that have not ended, the oldest first. */
  unfinished(): Promise<WarmRunRecord[]>
  /** The newest run of a list, or the newest that somebody began by hand. */
  latest(list: string | undefined, limit: number): Promise<WarmRunRecord[]>
}

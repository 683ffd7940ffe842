/** What is counted for plots. Bytes, or how many. */
export type FigureName =
  'hits' | 'misses' | 'revalidated' | 'stale' | 'servedBytes' | 'receivedBytes' | 'pullsServed' | 'pullsSpent'

export interface FigureSum {
  readonly figure: FigureName
  /** An upstream, or empty for what is of none. */
  readonly subject: string
  readonly value: number
}

/** Sums over a span of time, which began then (milliseconds since 1970). */
export interface FigureSpan {
  readonly beganAt: number
  readonly values: Partial<Record<FigureName, number>>
}

/** Figures of the past, for plots: they outlive the process. */
export interface FiguresMetadata {
  /** Adds to the span that is running at `at`; what is older than a month goes. */
  add(sums: readonly FigureSum[], at: number): Promise<void>
  /** Sums over all subjects from `since` on, in spans of `step` milliseconds, a multiple of five minutes; empty ones are left out. */
  spans(since: number, step: number): Promise<FigureSpan[]>
  /** Sums from `since` on, by subject. */
  totals(since: number): Promise<FigureSum[]>
}

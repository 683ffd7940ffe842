/** Pulls that an upstream counted. */
export interface SpendingSum {
  readonly upstream: string
  /** The login they went out with; `anonymous` without one. */
  readonly account: string
  /** On whose behalf: a user, an address, or nobody's (empty) for what Berth fetched for its own sake. */
  readonly caller: string
  readonly repository: string
  readonly pulls: number
}

export interface SpendingMetadata {
  /** Adds to the day of `at`; what is older than a month goes. */
  add(sums: readonly SpendingSum[], at: number): Promise<void>
  /** Sums from the day of `since` on, the greatest first. Times are in milliseconds since 1970, days those of UTC. */
  since(since: number, limit: number): Promise<SpendingSum[]>
}

import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import type { Outcome } from './events.ts'
import { Flights } from './flights.ts'
import { backoffAfter } from './freshness.ts'

interface Kept<T> {
  value: T
  checkedAt: number
  failures: number
  retryAt: number
}

/** Lists of an upstream (tags, referrers), kept in memory for their freshness and longer while the upstream fails. */
export class Lists<T extends object> {
  readonly #freshness: number
  readonly #now: () => number
  readonly #found: (outcome: Outcome) => void
  readonly #kept = new LRUCache<string, Kept<T>>({ max: 500 })
  readonly #flights = new Flights()

  constructor(options: { freshness: number; now: () => number; found: (outcome: Outcome) => void }) {
    this.#freshness = options.freshness
    this.#now = options.now
    this.#found = options.found
  }

  /** The list under `key`; `offline` says what else is known when the upstream fails and nothing is kept. */
  get(key: string, ask: () => Promise<T>, offline: () => Promise<T | undefined>): Promise<T> {
    return this.#flights.share(key, async () => {
      const kept = this.#kept.get(key)
      if (kept && this.#now() < kept.checkedAt + this.#freshness) return this.#tell(kept.value, 'hit')
      if (kept && this.#now() < kept.retryAt) return this.#tell(kept.value, 'stale')
      try {
        const value = await ask()
        this.#kept.set(key, { value, checkedAt: this.#now(), failures: 0, retryAt: 0 })
        return this.#tell(value, kept ? 'revalidated' : 'miss')
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error
        const value = kept?.value ?? (await offline())
        if (value === undefined) throw error
        const failures = (kept?.failures ?? 0) + 1
        const retryAt = this.#now() + backoffAfter(failures)
        this.#kept.set(key, { value, checkedAt: kept?.checkedAt ?? -Infinity, failures, retryAt })
        return this.#tell(value, 'stale')
      }
    })
  }

  #tell(value: T, outcome: Outcome): T {
    this.#found(outcome)
    return value
  }
}

import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { withinPatience } from '../oci/patience.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { ListKey, Metadata } from '../metadata/metadata.ts'
import type { Outcome, ReportCacheEvent } from './events.ts'
import { backoffAfter } from './freshness.ts'

export interface ListsOptions {
  upstream: string
  kind: ListKey['kind']
  metadata: Metadata
  /** Milliseconds. */
  freshness: number
  patience: number
  report: ReportCacheEvent
  now: () => number
}

interface Kept<T> {
  value: T
  checkedAt: number
  failures: number
  retryAt: number
}

export interface ListQuestion<T> {
  /** Asks the upstream. */
  ask: () => Promise<T>
  /** Whether it is asked however fresh the list is that is kept. */
  forced?: boolean | undefined
  /** What else is known when the upstream fails and nothing is kept. */
  offline?: () => Promise<T | undefined>
}

/** Lists of an upstream (tags, referrers): kept for their freshness, and for as long as the upstream fails. */
export class Lists<T extends object> {
  readonly #options: ListsOptions
  readonly #hot = new LRUCache<string, Kept<T>>({ max: 500 })
  readonly #flights = new Flights()

  constructor(options: ListsOptions) {
    this.#options = options
  }

  /** The list of a subject. */
  get(name: RepositoryName, subject: string, { ask, forced = false, offline }: ListQuestion<T>): Promise<T> {
    const key = `${name}@${subject}`
    return this.#flights.share(forced ? `${key} checked` : key, async () => {
      const { now, freshness, patience, upstream } = this.#options
      const kept = this.#hot.get(key) ?? (await this.#find(name, subject))
      if (kept && !forced && now() < kept.checkedAt + freshness) return this.#tell(kept.value, 'hit')
      if (kept && now() < kept.retryAt) return this.#tell(kept.value, 'stale')
      const asked = this.#ask(name, subject, kept, ask)
      if (kept) {
        const silent = new UpstreamError('timeout', `upstream ${upstream} has not answered in time`)
        return withinPatience(asked, patience, () => this.#stale(key, kept, kept.value, silent))
      }
      try {
        return await asked
      } catch (error) {
        const known = error instanceof UpstreamError ? await offline?.() : undefined
        if (known === undefined) throw error
        return this.#stale(key, undefined, known, error as UpstreamError)
      }
    })
  }

  async #ask(name: RepositoryName, subject: string, kept: Kept<T> | undefined, ask: () => Promise<T>): Promise<T> {
    const key = `${name}@${subject}`
    try {
      const value = await ask()
      const checkedAt = this.#options.now()
      this.#hot.set(key, { value, checkedAt, failures: 0, retryAt: 0 })
      await this.#put(name, subject, value, checkedAt)
      return this.#tell(value, kept ? 'revalidated' : 'miss')
    } catch (error) {
      if (!kept || !(error instanceof UpstreamError)) throw error
      return this.#stale(key, kept, kept.value, error)
    }
  }

  #stale(key: string, kept: Kept<T> | undefined, value: T, error: UpstreamError): T {
    const failures = (kept?.failures ?? 0) + 1
    const retryAt = this.#options.now() + Math.max(backoffAfter(failures), error.retryAfter ?? 0)
    this.#hot.set(key, { value, checkedAt: kept?.checkedAt ?? -Infinity, failures, retryAt })
    return this.#tell(value, 'stale')
  }

  async #find(name: RepositoryName, subject: string): Promise<Kept<T> | undefined> {
    const { metadata, upstream, kind } = this.#options
    const found = await metadata.findList({ registry: upstream, name }, { kind, subject })
    return found && { value: JSON.parse(found.json) as T, checkedAt: found.checkedAt, failures: 0, retryAt: 0 }
  }

  /** What the disk cannot take now is asked for again after the next start. */
  async #put(name: RepositoryName, subject: string, value: T, checkedAt: number): Promise<void> {
    const { metadata, upstream, kind, report } = this.#options
    try {
      await metadata.putList({ registry: upstream, name }, { kind, subject }, JSON.stringify(value), checkedAt)
    } catch (cause) {
      report({ type: 'storage-failure', message: `cannot keep a list: ${(cause as Error).message}` })
    }
  }

  #tell(value: T, outcome: Outcome): T {
    const { report, upstream, kind } = this.#options
    report({ type: 'lookup', upstream, kind, outcome })
    return value
  }
}

import type { Event } from './events.ts'

export interface UpstreamCondition {
  /** Hosts that are given up for a pause, each since when. */
  readonly down: ReadonlyMap<string, number>
  /** By account. */
  readonly budgets: ReadonlyMap<string, Budget>
  /** Accounts whose credentials do not work. */
  readonly refused: ReadonlyMap<string, { readonly host: string; readonly why: string; readonly since: number }>
}

export interface Budget {
  readonly remaining: number
  readonly limit: number | undefined
  /** What is left is at the reserve: tags are served unchecked. */
  readonly scarce: boolean
  readonly at: number
}

/** Something that went wrong, in words for people; `upstream` is empty where it concerns none. */
export interface Problem {
  readonly at: number
  readonly upstream: string
  readonly message: string
  /** How often in a row. */
  readonly times: number
}

interface Condition extends UpstreamCondition {
  readonly down: Map<string, number>
  readonly budgets: Map<string, Budget>
  readonly refused: Map<string, { host: string; why: string; since: number }>
}

const keptProblems = 50

/** How things stand, as the last of each event says. All times are in milliseconds since 1970. */
export class Conditions {
  readonly #now: () => number
  readonly #upstreams = new Map<string, Condition>()
  /** Newest first. */
  #problems: Problem[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  upstream(name: string): UpstreamCondition {
    return this.#of(name)
  }

  get problems(): readonly Problem[] {
    return this.#problems
  }

  note(event: Event): void {
    const at = this.#now()
    switch (event.type) {
      case 'breaker': {
        const { down } = this.#of(event.upstream)
        if (event.open) down.set(event.host, at)
        else down.delete(event.host)
        return
      }
      case 'rate-limit': {
        const { remaining, limit, scarce } = event
        this.#of(event.upstream).budgets.set(event.account, { remaining, limit, scarce, at })
        return
      }
      case 'credentials': {
        const { refused } = this.#of(event.upstream)
        if (event.good) refused.delete(event.account)
        else refused.set(event.account, { host: event.host, why: event.why, since: at })
        return
      }
      case 'upstream-failure':
        return this.#problem(event.upstream, event.message)
      case 'fill-ended':
        if (event.result === 'failed') this.#problem(event.upstream, event.message ?? `fetching ${event.digest} failed`)
        return
      case 'warm-reference':
        if (event.outcome !== 'failed') return
        return this.#problem('', `${event.reference} could not be kept warm: ${event.message}`)
      case 'wrong-content':
        return this.#problem(event.upstream, event.message)
      case 'storage-failure':
      case 'hosted-content-lost':
      case 'collection-failed':
        return this.#problem('', event.message)
      default:
        return
    }
  }

  #problem(upstream: string, message: string): void {
    const at = this.#now()
    const [last, ...before] = this.#problems
    const again = last?.upstream === upstream && last.message === message
    const problem = { at, upstream, message, times: again ? last.times + 1 : 1 }
    this.#problems = [problem, ...(again ? before : this.#problems)].slice(0, keptProblems)
  }

  #of(upstream: string): Condition {
    let condition = this.#upstreams.get(upstream)
    if (!condition) {
      condition = { down: new Map(), budgets: new Map(), refused: new Map() }
      this.#upstreams.set(upstream, condition)
    }
    return condition
  }
}

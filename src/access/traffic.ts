import { bounded } from './bounded.ts'
import { placeOf } from './place.ts'

export interface TrafficLimits {
  /** Requests of one client that are answered at the same time. */
  readonly requestsAtOnce: number
  /** Requests of one client; undefined for as many as it likes. */
  readonly requestsPerSecond?: number | undefined
}

/** A client that asked little lately may ask for so long at once, in seconds: a pull is many requests in a moment. */
const saved = 10

/** What a client has left of its requests, and since when. */
interface Allowance {
  readonly left: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** `wait`: milliseconds after which it may be tried again. */
export interface TurnedAway {
  readonly why: 'at once' | 'per second'
  readonly wait: number
}

/** Keeps one client from taking what there is for all: by its address, before anything else is known of it. */
export class Traffic {
  readonly #limits: TrafficLimits
  readonly #now: () => number
  readonly #running = new Map<string, number>()
  readonly #allowances = bounded<Allowance>(50_000)

  constructor(limits: TrafficLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Why a request must wait; undefined when it is let in, and `leave` is to be called at its end. */
  enter(address: string): TurnedAway | undefined {
    const place = placeOf(address)
    const running = this.#running.get(place) ?? 0
    if (running >= this.#limits.requestsAtOnce) return { why: 'at once', wait: 1_000 }
    const wait = this.#spend(place)
    if (wait > 0) return { why: 'per second', wait }
    this.#running.set(place, running + 1)
    return undefined
  }

  leave(address: string): void {
    const place = placeOf(address)
    const running = (this.#running.get(place) ?? 0) - 1
    if (running > 0) this.#running.set(place, running)
    else this.#running.delete(place)
  }

  /** Takes one request off what a client has left; else how long it takes until there is one, in milliseconds. */
  #spend(place: string): number {
    const rate = this.#limits.requestsPerSecond
    if (rate === undefined) return 0
    const now = this.#now()
    const known = this.#allowances.get(place)
    // A clock that was set back says nothing.
    const before = known && known.at <= now ? known : undefined
    const left = before ? Math.min(rate * saved, before.left + ((now - before.at) / 1_000) * rate) : rate * saved
    if (left < 1) return Math.ceil(((1 - left) / rate) * 1_000)
    this.#allowances.set(place, { left: left - 1, at: now })
    return 0
  }
}

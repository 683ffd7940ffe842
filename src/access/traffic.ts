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
/**
 * Who asks for too much is held back for so long before it is turned away, in milliseconds: docker and crane give up at a 429.
 * containerd waits 30 s for the head of an answer.
 */
const usualPatience = 20_000
/** Requests of one client that may stand in line. */
const longestLine = 256

/** What a client has left of its requests, and since when. Less than nothing where some of them are held back. */
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

/** Undefined when the request is let in: `leave` is to be called at its end. */
export type Entry = TurnedAway | undefined

type Waiting = (entry: Entry) => void

/** Keeps one client from taking what there is for all: by its address, before anything else is known of it. */
export class Traffic {
  readonly #limits: TrafficLimits
  readonly #now: () => number
  readonly #patience: number
  readonly #running = new Map<string, number>()
  readonly #lines = new Map<string, Set<Waiting>>()
  readonly #allowances = bounded<Allowance>(50_000)

  constructor(limits: TrafficLimits, now: () => number, patience = usualPatience) {
    this.#limits = limits
    this.#now = now
    this.#patience = patience
  }

  /** Answers at once where nothing is to be waited for. */
  enter(address: string): Entry | Promise<Entry> {
    const place = placeOf(address)
    const pause = this.#spend(place)
    if (pause > this.#patience) return { why: 'per second', wait: pause - this.#patience }
    return pause > 0 ? after(pause).then(() => this.#turn(place)) : this.#turn(place)
  }

  leave(address: string): void {
    const place = placeOf(address)
    const [next] = this.#lines.get(place) ?? []
    // Whoever stands in line takes the place over.
    if (next) return next(undefined)
    const running = this.#running.get(place)! - 1
    if (running > 0) this.#running.set(place, running)
    else this.#running.delete(place)
  }

  #turn(place: string): Entry | Promise<Entry> {
    const running = this.#running.get(place) ?? 0
    if (running >= this.#limits.requestsAtOnce) return this.#standInLine(place)
    this.#running.set(place, running + 1)
    return undefined
  }

  #standInLine(place: string): Entry | Promise<Entry> {
    const line = this.#lines.get(place) ?? new Set()
    if (line.size >= longestLine) return { why: 'at once', wait: 1_000 }
    this.#lines.set(place, line)
    return new Promise((resolve) => {
      const waiting: Waiting = (entry) => {
        clearTimeout(timer)
        line.delete(waiting)
        if (line.size === 0) this.#lines.delete(place)
        resolve(entry)
      }
      const timer = setTimeout(() => waiting({ why: 'at once', wait: 1_000 }), this.#patience).unref()
      line.add(waiting)
    })
  }

  /** Takes one request off what a client has left, unless it is held back for too long: for how long, in milliseconds. */
  #spend(place: string): number {
    const rate = this.#limits.requestsPerSecond
    if (rate === undefined) return 0
    const now = this.#now()
    const known = this.#allowances.get(place)
    // A clock that was set back says nothing.
    const before = known && known.at <= now ? known : undefined
    const left = before ? Math.min(rate * saved, before.left + ((now - before.at) / 1_000) * rate) : rate * saved
    const pause = left >= 1 ? 0 : Math.ceil(((1 - left) / rate) * 1_000)
    if (pause <= this.#patience) this.#allowances.set(place, { left: left - 1, at: now })
    return pause
  }
}

const after = (pause: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, pause).unref())

import { bounded } from './bounded.ts'
import { placeOf } from './place.ts'

/** Wrong passwords that are free, and the longest wait after more, in milliseconds. Waits double from one second on. */
interface Allowance {
  readonly free: number
  readonly longest: number
}

/** Of one account from one address: a person who mistypes, or a machine with an old password. */
const here: Allowance = { free: 5, longest: 300_000 }
/** From one address, whatever the account: many people may be behind one. */
const fromAddress: Allowance = { free: 50, longest: 300_000 }
/** Of one account, from everywhere: somebody guesses from many addresses. */
const ofAccount: Allowance = { free: 100, longest: 60_000 }

/** Counts are forgotten when nothing went wrong for so long. */
const remembered = 3_600_000
/** An account goes on at an address from which it has logged in, whatever others do to either. */
const trusted = 30 * 24 * 3_600_000

interface Failures {
  readonly count: number
  readonly last: number
}

/**
 * Who has to wait before another password is looked at. Only wrong passwords count, and nobody can lock an account out for
 * those who have used it before: they are known by their address.
 */
export class Attempts {
  readonly #failures = bounded<Failures>(50_000)
  readonly #known = bounded<number>(50_000)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds until a password for this account, or a login of whatever account, is looked at from this address; 0 for now. */
  wait(account: string | undefined, address: string): number {
    const [place, both, everywhere] = keysOf(account, address)
    if (both === undefined || everywhere === undefined) return this.#waitOf(place, fromAddress)
    const knownSince = this.#known.get(both)
    const isKnown = knownSince !== undefined && this.#now() - knownSince < trusted
    const others = isKnown ? 0 : Math.max(this.#waitOf(place, fromAddress), this.#waitOf(everywhere, ofAccount))
    return Math.max(this.#waitOf(both, here), others)
  }

  /** Counts an attempt as wrong, before it is looked at: many at once are no way around the count. */
  begin(account: string | undefined, address: string): void {
    for (const key of keysOf(account, address)) {
      const before = this.#current(key)
      this.#failures.set(key, { count: (before?.count ?? 0) + 1, last: this.#now() })
    }
  }

  /** The attempt was right, or was not looked at: it does not count. */
  forgive(account: string | undefined, address: string): void {
    for (const key of keysOf(account, address)) {
      const failures = this.#current(key)
      if (failures) this.#failures.set(key, { ...failures, count: failures.count - 1 })
    }
  }

  right(account: string | undefined, address: string): void {
    this.forgive(account, address)
    const [, both] = keysOf(account, address)
    if (both === undefined) return
    this.#failures.delete(both)
    this.#known.set(both, this.#now())
  }

  #waitOf(key: string, { free, longest }: Allowance): number {
    const failures = this.#current(key)
    if (!failures || failures.count < free) return 0
    const pause = Math.min(longest, 1_000 * 2 ** Math.min(20, failures.count - free))
    // Never more than the pause itself: the clock may have been set back.
    return Math.min(pause, Math.max(0, failures.last + pause - this.#now()))
  }

  #current(key: string): Failures | undefined {
    const failures = this.#failures.get(key)
    return failures && this.#now() - failures.last < remembered ? failures : undefined
  }
}

function keysOf(
  account: string | undefined,
  address: string,
): [place: string] | [place: string, both: string, account: string] {
  const place = placeOf(address)
  return account === undefined ? [`|${place}`] : [`|${place}`, `${account}|${place}`, `${account}|`]
}

/** How long a pull may wait in memory before it is written, in milliseconds. */
const delay = 5_000

export interface PullCount {
  pulls: number
  /** The last one, in milliseconds since 1970. */
  at: number
}

/** By repository, then by tag. */
export type PullCounts = Map<string, Map<string, PullCount>>

/** Counts pulls and hands the sums on in batches: a pull costs two look-ups in maps, and no write of its own. */
export class Pulls {
  readonly #write: (counts: PullCounts) => void
  #pending: PullCounts = new Map()
  #timer: NodeJS.Timeout | undefined

  constructor(write: (counts: PullCounts) => void) {
    this.#write = write
  }

  add(name: string, tag: string, at: number): void {
    let tags = this.#pending.get(name)
    if (!tags) this.#pending.set(name, (tags = new Map<string, PullCount>()))
    const count = tags.get(tag)
    if (!count) tags.set(tag, { pulls: 1, at })
    else {
      count.pulls++
      count.at = at
    }
    this.#timer ??= setTimeout(() => this.flush(), delay).unref()
  }

  /** What a busy or full database refuses waits for the next time. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    try {
      this.#write(this.#pending)
      this.#pending = new Map()
    } catch {
      this.#timer = setTimeout(() => this.flush(), delay).unref()
    }
  }
}

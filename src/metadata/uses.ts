/** How long a use may wait in memory before it is written, in milliseconds. */
const delay = 5_000

/** Gathers access times and hands them on in batches: reading must not cost a write. */
export class Uses {
  readonly #write: (uses: Map<string, number>) => void
  #pending = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(write: (uses: Map<string, number>) => void) {
    this.#write = write
  }

  add(digest: string, at: number): void {
    this.#pending.set(digest, Math.max(at, this.#pending.get(digest) ?? 0))
    this.#timer ??= setTimeout(() => this.flush(), delay).unref()
  }

  /** Writes what was gathered. Throws what the write throws; all of it is kept then, for the next time. */
  write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const uses = this.#pending
    this.#pending = new Map()
    try {
      this.#write(uses)
    } catch (error) {
      for (const [digest, at] of uses) this.add(digest, at)
      throw error
    }
  }

  flush(): void {
    try {
      this.write()
    } catch {
      // A busy or full database: access times only order eviction, and the next batch tries again.
    }
  }
}

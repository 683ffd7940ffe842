import type { FillSource } from './source.ts'

/** What a reader waits for. */
export interface Place {
  readonly position: number
  /** The byte held back until all are verified; undefined for a range, which nobody can verify before. */
  readonly heldBack: number | undefined
}

interface Waiting extends Place {
  readonly wake: () => void
}

/** Who reads one blob while it is filled, each known by its source, and what they wait for. */
export class Readers {
  readonly #waiting = new Map<FillSource, Waiting | undefined>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Whether one wants all of it, and is in no hurry. */
  get wantAll(): boolean {
    return [...this.#waiting.keys()].some(({ background }) => background)
  }

  /** What is at `position` counts as waited for from now on; without one nothing does yet. */
  add(reader: FillSource, position: number | undefined): void {
    this.#waiting.set(reader, position === undefined ? undefined : { position, heldBack: undefined, wake: () => {} })
  }

  /** It leaves: should it wait just now, that ends. */
  remove(reader: FillSource): void {
    const waiting = this.#waiting.get(reader)
    this.#waiting.delete(reader)
    waiting?.wake()
  }

  /** Positions that readers wait for; of those that are in no hurry, none. */
  wanted(): number[] {
    return [...this.#waiting].flatMap(([{ background }, at]) => (background ? [] : (at?.position ?? [])))
  }

  /** Resolves when something changed that may concern a reader there; `begun` is called when it waits. Rejects when it has left. */
  async change(reader: FillSource, place: Place, begun: () => void): Promise<void> {
    await new Promise<void>((wake) => {
      this.#waiting.set(reader, { ...place, wake })
      begun()
    })
    if (!this.#waiting.has(reader)) throw new Error('the reader has left')
    this.#waiting.set(reader, undefined)
  }

  wakeWhere(changed: (place: Place) => boolean): void {
    for (const waiting of this.#waiting.values()) if (waiting && changed(waiting)) waiting.wake()
  }

  wakeAll(): void {
    for (const [reader, waiting] of this.#waiting) {
      // What it waited for is not fetched for its sake unless it says so again.
      this.#waiting.set(reader, undefined)
      waiting?.wake()
    }
  }
}

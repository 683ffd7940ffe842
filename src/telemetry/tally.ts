import type { Counter } from 'prom-client'

/** Counts by joined labels, and hands the sums on at a scrape: prom-client's own counting costs more than a warm lookup. */
export class Tally {
  readonly #counter: Counter
  readonly #labels: readonly string[]
  readonly #counts = new Map<string, number>()

  constructor(counter: Counter, labels: readonly string[]) {
    this.#counter = counter
    this.#labels = labels
  }

  /** `values` of the labels, in their order, with a space between them. */
  add(values: string): void {
    this.#counts.set(values, (this.#counts.get(values) ?? 0) + 1)
  }

  flush(): void {
    for (const [joined, count] of this.#counts) {
      const values = joined.split(' ')
      this.#counter.inc(Object.fromEntries(this.#labels.map((label, i) => [label, values[i]!])), count)
    }
    this.#counts.clear()
  }
}

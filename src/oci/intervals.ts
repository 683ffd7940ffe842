import type { ByteRange } from './range.ts'

/** A set of bytes of one blob, kept as sorted intervals that neither touch nor overlap. */
export class Intervals {
  #list: { start: number; end: number }[] = []

  constructor(ranges: Iterable<ByteRange> = []) {
    for (const range of ranges) this.add(range.start, range.end)
  }

  /** Adds bytes `start` up to `end`. */
  add(start: number, end: number): void {
    if (start >= end) return
    const list = this.#list
    const first = this.#firstEndingAtOrAfter(start)
    let after = first
    while (after < list.length && list[after]!.start <= end) after++
    if (after > first) {
      start = Math.min(start, list[first]!.start)
      end = Math.max(end, list[after - 1]!.end)
    }
    if (after === first + 1) Object.assign(list[first]!, { start, end })
    else list.splice(first, after - first, { start, end })
  }

  /** Where the run of present bytes that holds `position` ends; `position` itself when that byte is absent. */
  endOfRun(position: number): number {
    const interval = this.#list[this.#firstEndingAtOrAfter(position + 1)]
    return interval && interval.start <= position ? interval.end : position
  }

  /** The first absent bytes at or after `from` and before `limit`; undefined when there are none. */
  nextGap(from: number, limit: number): ByteRange | undefined {
    const start = this.endOfRun(from)
    if (start >= limit) return undefined
    const next = this.#list[this.#firstEndingAtOrAfter(start + 1)]
    return { start, end: Math.min(limit, next ? next.start : limit) }
  }

  clear(): void {
    this.#list = []
  }

  get total(): number {
    return this.#list.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  toJSON(): ByteRange[] {
    return this.#list.map(({ start, end }) => ({ start, end }))
  }

  #firstEndingAtOrAfter(position: number): number {
    let low = 0
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#list[middle]!.end < position) low = middle + 1
      else high = middle
    }
    return low
  }
}

import type { FastUpstream } from './servers/upstream.ts'

/** One claim of the table: a figure of Berth's, what it is compared with, and what it should come to. */
export interface Row {
  what: string
  unit: string
  berth: number
  /** Absent where the figure stands alone. */
  other?: { name: string; value: number }
  /** What is held against `target`: Berth's figure by the other, unless said otherwise. */
  result?: { value: number; unit: string }
  target?: Target
  /** Why there is nothing to compare with. */
  skipped?: string
}

export type Target = { atLeast: number } | { atMost: number } | { below: number }

export interface Bench {
  readonly quick: boolean
  readonly upstream: FastUpstream
  /** A folder of this run, removed at its end. */
  readonly folder: string
  /** How often everything is measured; figures are the medians. */
  readonly rounds: number
  /** How long one warm figure is measured, in seconds. */
  readonly seconds: number
  say(text: string): void
}

export interface Measure {
  readonly name: string
  readonly about: string
  run(bench: Bench): Promise<Row[]>
}

export const mebibyte = 1024 * 1024
export const gibibyte = 1024 * mebibyte

/** Random choices that are the same for the same seed. */
export interface Random {
  /** A whole number from `from` up to and with `to`. */
  whole(from: number, to: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<T>(all: readonly T[]): T
}

export function makeRandom(seed: number): Random {
  const next = mulberry32(seed)
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return { whole, chance: (probability) => next() < probability, pick: (all) => all[whole(0, all.length - 1)]! }
}

/** Numbers from 0 up to 1. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

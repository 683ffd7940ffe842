export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!
}

/**
 * Measures several things turn by turn, so that what else the machine does meanwhile hits all alike, and returns the
 * medians under the names given.
 */
export async function alternate<Name extends string>(
  rounds: number,
  figures: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(figures) as Name[]
  const seen = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) seen.get(name)!.push(await figures[name]())
  }
  return Object.fromEntries(names.map((name) => [name, median(seen.get(name)!)])) as Record<Name, number>
}

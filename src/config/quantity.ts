// Sizes and durations as people write them. Each pair is a round trip: parse(format(n)) is n.

const bytesPer: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  KiB: 2 ** 10,
  MB: 1e6,
  MiB: 2 ** 20,
  GB: 1e9,
  GiB: 2 ** 30,
  TB: 1e12,
  TiB: 2 ** 40,
  PB: 1e15,
  PiB: 2 ** 50,
}

const millisecondsPer: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

export const sizePattern = /^(\d+)(B|[kK]B|[MGTP]B|[KMGTP]iB)?$/
export const durationPattern = /^(\d+)(ms|s|m|h|d)$/

/** `512MiB`, `5GB` or plain bytes as a number of bytes; undefined for anything else and beyond 2^53. */
export function parseSize(text: string): number | undefined {
  return parse(text, sizePattern, bytesPer, 'B')
}

/** `500ms`, `10s`, `1m`, `36h`, `3d` as milliseconds; undefined for anything else. A unit is always named. */
export function parseDuration(text: string): number | undefined {
  return parse(text, durationPattern, millisecondsPer)
}

export function formatSize(bytes: number): string {
  return format(bytes, bytesPer, 'B')
}

export function formatDuration(milliseconds: number): string {
  return format(milliseconds, millisecondsPer, 's')
}

type Units = Readonly<Record<string, number>>

function parse(text: string, pattern: RegExp, units: Units, plainUnit?: string): number | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const factor = units[match[2] ?? plainUnit ?? '']
  if (factor === undefined) return undefined
  const value = Number(match[1]) * factor
  return Number.isSafeInteger(value) ? value : undefined
}

// The unit that leaves the smallest whole number, so nothing is rounded.
function format(value: number, units: Units, zeroUnit: string): string {
  if (value === 0) return `0${zeroUnit}`
  const whole = Object.entries(units).filter(([, factor]) => value % factor === 0)
  const [unit, factor] = whole.reduce((best, next) => (next[1] > best[1] ? next : best))
  return `${value / factor}${unit}`
}

import { quote } from './digest.ts'
import { RegistryError } from './errors.ts'

/** Bytes `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What one element of a Range header asks, before the content's size is known; `last` is inclusive as on the wire. */
export type AskedRange = { first: number; last?: number } | { suffix: number }

/** More ranges than this in one request are answered with the whole content (a guard against many overlapping ones). */
const maxRanges = 512

/**
 * Reads a Range header (RFC 9110, 14.2). A unit other than bytes, or a header that breaks the grammar, is `undefined`:
 * the field is then ignored and the whole content answered.
 */
export function parseRange(header: string): AskedRange[] | undefined {
  const match = /^bytes=(.*)$/i.exec(header.trim())
  if (!match) return undefined
  const parts = match[1]!.split(',').map((part) => part.trim())
  if (parts.length > maxRanges) return undefined
  const asked = parts.filter((part) => part !== '').map(parseOne)
  return asked.length > 0 && asked.every((range) => range !== undefined) ? asked : undefined
}

function parseOne(text: string): AskedRange | undefined {
  const match = /^(\d{0,16})-(\d{0,16})$/.exec(text)
  if (!match) return undefined
  const [, first, last] = match
  if (first === '') return last === '' ? undefined : { suffix: Number(last) }
  return last === '' ? { first: Number(first) } : { first: Number(first), last: Number(last) }
}

/**
 * What the asked ranges mean for content of `size` bytes: clipped to its end, in the order asked, those past the end left out.
 * Throws RANGE_INVALID (416) with `Content-Range: bytes *\/size` when none is left.
 */
export function resolveRanges(asked: AskedRange[], size: number): ByteRange[] {
  const ranges = asked.map((range) => resolveOne(range, size)).filter((range) => range !== undefined)
  if (ranges.length === 0) {
    throw new RegistryError('RANGE_INVALID', `range must lie within ${size} bytes, saw ${quote(formatRange(asked))}`, {
      headers: { 'Content-Range': `bytes */${size}` },
    })
  }
  return ranges
}

function resolveOne(range: AskedRange, size: number): ByteRange | undefined {
  if ('suffix' in range)
    return range.suffix === 0 || size === 0 ? undefined : { start: Math.max(0, size - range.suffix), end: size }
  const last = Math.min(range.last ?? Infinity, size - 1)
  return range.first <= last ? { start: range.first, end: last + 1 } : undefined
}

/** The Range header that asks for these. */
export function formatRange(asked: AskedRange[]): string {
  return `bytes=${asked.map((r) => ('suffix' in r ? `-${r.suffix}` : `${r.first}-${r.last ?? ''}`)).join(',')}`
}

/** Reads `bytes a-b/total` of a 206, or `bytes *\/total` of a 416; `undefined` when it is neither. A total of `*` is undefined. */
export function parseContentRange(header: string): { range?: ByteRange; size?: number } | undefined {
  const match = /^bytes\s+(?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(header.trim())
  if (!match) return undefined
  const [, first, last, total] = match
  const size = total === '*' ? {} : { size: Number(total) }
  if (first === undefined) return size
  const range = { start: Number(first), end: Number(last) + 1 }
  return range.start < range.end ? { range, ...size } : undefined
}

import type { Intervals } from '../oci/intervals.ts'
import type { ByteRange } from '../oci/range.ts'

/** A stretch that one connection is fetching: it has come to `position` and goes on to `end`. */
export interface Stretch {
  readonly position: number
  readonly end: number
}

export interface FillState {
  size: number
  present: Intervals
  inFlight: readonly Stretch[]
  /** Positions that readers wait for. */
  wanted: readonly number[]
  /** Whether bytes that nobody waits for are to be fetched as well. */
  readAhead: boolean
  /** The longest stretch to hand to one connection, in bytes. */
  segment: number
}

/** Closer than this behind a connection's position, waiting for it beats asking anew, in bytes. */
const near = 1024 * 1024

/** Whether a connection brings `position` soon. */
export function isComing(inFlight: Iterable<Stretch>, position: number): boolean {
  for (const stretch of inFlight) {
    if (stretch.position <= position && position < stretch.end) return position - stretch.position <= near
  }
  return false
}

/** The next stretch to fetch: what a reader waits for first, then the front. Undefined when nothing is left to ask for. */
export function nextStretch(state: FillState): ByteRange | undefined {
  for (const position of [...state.wanted].sort((a, b) => a - b)) {
    const gap = state.present.nextGap(position, state.size)
    if (!gap) continue
    if (!isComing(state.inFlight, gap.start)) return clip(state, gap.start)
  }
  return state.readAhead ? front(state) : undefined
}

/** The first bytes that are neither present nor being fetched. */
function front(state: FillState): ByteRange | undefined {
  let from = 0
  for (;;) {
    const gap = state.present.nextGap(from, state.size)
    if (!gap) return undefined
    const coming = state.inFlight.find((s) => s.position <= gap.start && gap.start < s.end)
    if (!coming) return clip(state, gap.start)
    from = coming.end
  }
}

/** From `start` to whatever comes first: a segment's length, bytes that are present, or bytes that are being fetched. */
function clip(state: FillState, start: number): ByteRange {
  const gapEnd = state.present.nextGap(start, state.size)!.end
  const others = state.inFlight.map((s) => s.position).filter((position) => position > start)
  return { start, end: Math.min(gapEnd, start + state.segment, ...others) }
}

const mebibyte = 1024 * 1024
/** Bounds of what one connection is asked for at once, in bytes. */
const segments = { least: 4 * mebibyte, most: 32 * mebibyte }
/** A request brings so many times what would have come while its answer was waited for. */
const worthAsking = 12

/**
 * How long a stretch one connection gets. Short, since who reads from the front gets nothing of the later connections' bytes
 * before the first have come; long enough to pay for its request: `missed` bytes would have come while an answer was waited
 * for. `left` bytes are not asked for yet: all connections shall get some of them.
 */
export function segmentFor(missed: number, left: number, connections: number): number {
  const worth = Math.ceil(Math.min(segments.most, missed * worthAsking, left / connections))
  return Math.max(segments.least, worth)
}

import type { UpstreamError } from '../oci/errors.ts'

export interface FillPolicy {
  /** Connections one large blob may hold. */
  connections: number
  /** Blobs larger than this are fetched over several ranges, in bytes. */
  parallelThreshold: number
  /** Whether a fill goes on when nobody reads: `when-read` stops with its last reader, `never` fetches only what is read. */
  complete: 'always' | 'when-read' | 'never'
  /** A connection slower than 1 KiB/s over this time is given up and the rest asked anew, in milliseconds. */
  stallAfter: number
  /** Failures in a row, without a byte between them, that end a fill. */
  attempts: number
  /** The pause after a failure that brought no byte, in milliseconds; doubled each time, to 5 s at most. */
  pause: number
}

export const defaultFillPolicy: FillPolicy = {
  connections: 4,
  parallelThreshold: 16 * 1024 * 1024,
  complete: 'always',
  stallAfter: 15_000,
  attempts: 8,
  pause: 250,
}

/** A blob up to this size goes out only after its digest is right: the wait is too short to notice. */
export const smallBlob = 1024 * 1024

const longestPause = 5_000
/** An upstream that asks for more patience than this is not waited for, in milliseconds. */
const mostPatience = 30_000

/**
 * How long an upstream is left alone after so many failures in a row, in milliseconds: `first`, doubled each time, or what it
 * asks for itself. Undefined when that is more than anybody waits.
 */
export function pauseAfter(failure: UpstreamError, failures: number, first: number): number | undefined {
  const pause = Math.max(Math.min(longestPause, first * 2 ** (failures - 1)), failure.retryAfter ?? 0)
  return pause > mostPatience ? undefined : pause
}

import { Buffers } from '../oci/buffers.ts'

/** A body is read ahead of whoever reads it by this much: few large copies and writes then do; in bytes. */
export const readAhead = 256 * 1024
/** The most that comes between two looks at whether to pause, in bytes: what undici's socket holds. */
const mostAtOnce = 128 * 1024
/** Of bodies, as many as commonly run at once. */
const mostSpare = 16

/** What the bodies of all upstreams share. */
export interface BodyMemory {
  readonly buffers: Buffers
  /** To be told of chunks that nobody needs any more. */
  readonly dropped: (bytes: number) => void
}

export function bodyMemory(dropped: (bytes: number) => void): BodyMemory {
  return { buffers: new Buffers(readAhead + mostAtOnce, mostSpare), dropped }
}

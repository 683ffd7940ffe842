import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Buffers } from '../oci/buffers.ts'

/** A body is read ahead of whoever reads it by this much: few large copies and writes then do; in bytes. */
export const readAhead = 256 * 1024
/** The most that comes between two looks at whether to pause, in bytes: what undici's socket holds. */
const mostAtOnce = 128 * 1024
/** Of bodies, as many as commonly run at once. */
const mostSpare = 16
/** So many bytes of chunks may become garbage before they are collected. */
const between = 2 * 1024 * 1024

/** What the bodies of all upstreams share. */
export interface BodyMemory {
  readonly buffers: Buffers
  /** To be told of chunks that nobody needs any more. */
  readonly dropped: (bytes: number) => void
}

/**
 * Each chunk from a socket is a buffer of 64 KiB outside V8's heap, garbage as soon as it is copied; V8 lets some 60 MiB
 * of them pile up before it looks. Collecting the young generation more often takes a fraction of a millisecond each time
 * and keeps those 60 MiB for everything else.
 */
export function bodyMemory(): BodyMemory {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as ((options: { type: 'minor' }) => void) | undefined
  let since = 0
  return {
    buffers: new Buffers(readAhead + mostAtOnce, mostSpare),
    dropped: (bytes) => {
      since += bytes
      if (since < between) return
      since = 0
      collect?.({ type: 'minor' })
    },
  }
}

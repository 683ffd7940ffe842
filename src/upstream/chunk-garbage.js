// Plain JavaScript: the transfer thread needs it, too.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * To be told of chunks from sockets that nobody needs any more. Each is a buffer of 64 KiB outside V8's heap, garbage as soon
 * as it is copied; V8 lets some 60 MiB of them pile up before it looks. Collecting the young generation of this thread once
 * in `between` bytes takes a fraction of a millisecond each time and keeps those 60 MiB for everything else.
 * @param {number} between
 * @returns {(bytes: number) => void}
 */
export function chunkCollector(between) {
  setFlagsFromString('--expose-gc')
  /** @type {unknown} */
  const gc = runInNewContext('gc')
  const collect = /** @type {(options: { type: 'minor' }) => void} */ (gc)
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < between) return
    since = 0
    collect({ type: 'minor' })
  }
}

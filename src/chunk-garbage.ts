import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * To be told of chunks from sockets that nobody needs any more. Each is a buffer of 64 KiB outside V8's heap, garbage as soon
 * as it is copied; V8 lets some 60 MiB of them pile up before it looks. Collecting the young generation once in `between`
 * bytes takes a fraction of a millisecond each time and keeps those 60 MiB for everything else.
 */
export function chunkCollector(between: number): (bytes: number) => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as ((options: { type: 'minor' }) => void) | undefined
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < between) return
    since = 0
    collect?.({ type: 'minor' })
  }
}

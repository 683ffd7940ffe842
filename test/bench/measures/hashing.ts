import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, parseDigest, type Digest } from '../../../src/oci/digest.ts'
import { Hashing } from '../../../src/store/verify.ts'
import { mebibyte, type Measure } from '../measure.ts'
import { median } from '../stats.ts'

const size = 256 * mebibyte
const slice = 512 * 1024

interface Cost {
  /** How late the event loop was at worst in 99 of 100 looks, in milliseconds. */
  delay: number
  /** Milliseconds. */
  time: number
}

/** Why digests are computed on a thread of their own: what each way does to everything else the process does. */
export const hashing: Measure = {
  name: 'hashing',
  about:
    'SHA-256 of a file of 256 MiB on the hashing thread by the same on the main thread: event-loop delay p99, and time',
  async run(bench) {
    const file = path.join(bench.folder, 'hashed')
    const bytes = Buffer.alloc(size, 'berth')
    await writeFile(file, bytes)
    const digest = parseDigest(digestOf(bytes))
    const worker = new Hashing()
    await onThread(worker, file, digest)
    const own: Cost[] = []
    const main: Cost[] = []
    for (let round = 0; round < bench.rounds; round++) {
      own.push(await watched(() => onThread(worker, file, digest)))
      main.push(await watched(() => onMain(file, digest)))
    }
    await worker.close()
    const row = (what: string, of: (cost: Cost) => number) => ({
      what,
      unit: 'ms',
      berth: median(own.map(of)),
      other: { name: 'main thread', value: median(main.map(of)) },
    })
    return [row('hashing: event-loop delay p99', (cost) => cost.delay), row('hashing: time', (cost) => cost.time)]
  },
}

async function watched(work: () => Promise<void>): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const started = performance.now()
  await work()
  const time = performance.now() - started
  await sleep(5)
  delay.disable()
  return { delay: delay.percentile(99) / 1e6, time }
}

async function onThread(worker: Hashing, file: string, digest: Digest): Promise<void> {
  const hash = worker.begin(file, digest)
  if (!(await hash.matches(size))) throw new Error('wrong digest')
}

/** As well as the main thread can: a slice a turn, so that other work gets its turn between. */
async function onMain(file: string, digest: Digest): Promise<void> {
  const fd = openSync(file, 'r')
  const buffer = Buffer.allocUnsafeSlow(slice)
  const hash = createHash('sha256')
  for (let at = 0; at < size; at += slice) {
    hash.update(buffer.subarray(0, readSync(fd, buffer, 0, slice, at)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  closeSync(fd)
  if (`sha256:${hash.digest('hex')}` !== digest) throw new Error('wrong digest')
}

// Hashes files on a thread of its own, a slice of each in turn, so that gigabytes of fills leave the main thread free.
// Plain JavaScript: a worker is started from a file, and the same file serves sources and build.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setImmediate } from 'node:timers'
import { parentPort } from 'node:worker_threads'

// On Linux this concerns the calling thread alone: hashing gives way to whoever waits for an answer. It gives way to nothing
// else: what comes in is worth nothing before it is hashed.
setPriority(5)

const slice = Buffer.allocUnsafeSlow(256 * 1024)
/** Milliseconds of rest after each slice. */
const rest = 0.05
const forever = new Int32Array(new SharedArrayBuffer(4))
/** @type {Map<number, { fd: number, hash: import('node:crypto').Hash, at: number, upTo: number, finish: boolean }>} */
const jobs = new Map()
let running = false

parentPort?.on('message', (/** @type {import('./verify.ts').HashOrder} */ order) => {
  try {
    obey(order)
  } catch (error) {
    fail(order.id, error)
  }
})

/** @param {import('./verify.ts').HashOrder} order */
function obey(order) {
  if (order.order === 'open') {
    jobs.set(order.id, {
      fd: openSync(order.file, 'r'),
      hash: createHash(order.algorithm),
      at: 0,
      upTo: 0,
      finish: false,
    })
    return
  }
  const job = jobs.get(order.id)
  if (!job) {
    // It failed before: whoever waits for the end must be told.
    if (order.order === 'finish') parentPort?.postMessage({ id: order.id, error: 'the file could not be read' })
    return
  }
  if (order.order === 'close') return end(order.id)
  job.upTo = Math.max(job.upTo, order.upTo)
  job.finish ||= order.order === 'finish'
  if (!running) {
    running = true
    setImmediate(work)
  }
}

function work() {
  let busy = false
  for (const [id, job] of jobs) {
    try {
      if (job.at < job.upTo) {
        const read = readSync(job.fd, slice, 0, Math.min(slice.length, job.upTo - job.at), job.at)
        // A file shorter than told: its digest will not fit, which is the right answer.
        if (read === 0) job.at = job.upTo
        job.hash.update(slice.subarray(0, read))
        job.at += read
        busy = true
        // Somebody waits for the digest.
        if (!job.finish) pause()
      } else if (job.finish) {
        parentPort?.postMessage({ id, hex: job.hash.digest('hex') })
        end(id)
      }
    } catch (error) {
      fail(id, error)
    }
  }
  running = busy
  if (busy) setImmediate(work)
}

/**
 * A thread that never sleeps keeps its core for milliseconds after another one woke, however low its priority is, where
 * the kernel gives out whole time slices.
 */
function pause() {
  Atomics.wait(forever, 0, 0, rest)
}

/** @param {number} id @param {unknown} error */
function fail(id, error) {
  parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
  end(id)
}

/** @param {number} id */
function end(id) {
  const job = jobs.get(id)
  jobs.delete(id)
  if (job) closeSync(job.fd)
}

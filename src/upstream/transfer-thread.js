// Blobs come in on a thread of their own: TLS, HTTP and writing to files cost most of what a fill costs, and whoever asks
// for a manifest meanwhile waits for none of it. The main thread decides what becomes of the bytes that have come: into
// which file, at which position.
// Plain JavaScript: a worker is started from a file, and the same file serves sources and build.
import { Buffer } from 'node:buffer'
import { writeSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setImmediate } from 'node:timers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { codeOf } from './error-code.js'
import { openWays } from './ways.js'

// On Linux this concerns the calling thread alone. Before hashing, behind whoever waits for an answer.
setPriority(5)

/** A body is read ahead of what becomes of it by this much, in bytes: few large writes then do. */
const readAhead = 256 * 1024
/** The most that comes between two looks at whether to pause, in bytes: what undici's socket holds. */
const mostAtOnce = 128 * 1024
const bufferSize = readAhead + mostAtOnce
/** Of buffers, as many as bodies commonly run at once. */
const mostSpare = 16
/** A body that nobody wants is read to its end, for its connection to live on, if no more than this comes; in bytes. */
const worthReading = 64 * 1024
/** Chunks of sockets are garbage as soon as they are copied; V8 lets 60 MiB of them pile up unless it is told; in bytes. */
const collectEvery = 2 * 1024 * 1024

setFlagsFromString('--expose-gc')
/** @type {unknown} */
const gc = runInNewContext('gc')
const collect = /** @type {(options: { type: 'minor' }) => void} */ (gc)
let uncollected = 0

/** @type {unknown} */
const settings = workerData
const ways = openWays(/** @type {import('./ways.js').WaySettings} */ (settings))
/** @type {Map<number, Transfer>} */
const transfers = new Map()
/** @type {Buffer<ArrayBuffer>[]} */
const spare = []

/** @param {import('./transfers.ts').TransferReport} report @param {ArrayBuffer[]} [moved] */
const tell = (report, moved = []) => parentPort?.postMessage(report, moved)

/** @param {unknown} error */
function plain(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return { name, message, code: codeOf(error) }
}

/** One answer, and what has come of its body and is not put anywhere yet: what lies between `#start` and `#end`. */
class Transfer {
  #id
  /** @type {import('undici').Dispatcher.DispatchController | undefined} */
  #sending
  #answered = false
  #length = Infinity
  #buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  #ended = false
  /** @type {unknown} */
  #error
  #dropped = false
  #droppedBytes = 0
  /** Somebody waits to be told what comes next. */
  #awaited = false
  #telling = false

  /** @param {number} id */
  constructor(id) {
    this.#id = id
  }

  // Told by the connection.

  /** @param {import('undici').Dispatcher.DispatchController} controller */
  onRequestStart(controller) {
    this.#sending = controller
    if (this.#dropped) this.#abort()
  }

  /** @param {unknown} _controller @param {number} status @param {import('./exchange.ts').Headers} headers */
  onResponseStart(_controller, status, headers) {
    // 1xx comes before the answer.
    if (status < 200) return
    this.#answered = true
    const length = Number(headers['content-length'] ?? NaN)
    if (Number.isSafeInteger(length)) this.#length = length
    tell({ id: this.#id, report: 'answered', status, headers })
  }

  /** @param {unknown} _controller @param {Buffer} chunk */
  onResponseData(_controller, chunk) {
    uncollected += chunk.length
    if (uncollected >= collectEvery) {
      uncollected = 0
      collect({ type: 'minor' })
    }
    if (this.#dropped) return this.#discard(chunk.length)
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length)
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
    if (this.#waiting >= readAhead) this.#sending?.pause()
    this.#tellSoon()
  }

  onResponseEnd() {
    this.#ended = true
    if (this.#dropped) this.#forget()
    else this.#tellSoon()
  }

  /** @param {unknown} _controller @param {unknown} error */
  onResponseError(_controller, error) {
    this.#error ??= error
    if (!this.#answered) tell({ id: this.#id, report: 'refused', error: plain(error) })
    if (this.#dropped || !this.#answered) this.#forget()
    else this.#tellSoon()
  }

  // Told by the main thread.

  /** What was there before is done with up to `consumed` bytes; what comes next is to be told. @param {number} consumed */
  next(consumed) {
    this.#consume(consumed)
    this.#awaited = true
    if (this.#waiting > 0 || this.#ended || this.#error) this.#tellWhatCame()
  }

  /** @param {{ consumed: number, file: number, start: number, end: number, position: number }} order */
  write({ consumed, file, start, end, position }) {
    this.#consume(consumed)
    try {
      const bytes = this.#buffer.subarray(this.#start + start, this.#start + end)
      for (let done = 0; done < bytes.length;) {
        done += writeSync(file, bytes, done, bytes.length - done, position + done)
      }
      tell({ id: this.#id, report: 'written', waiting: this.#waiting })
    } catch (error) {
      tell({ id: this.#id, report: 'unwritten', error: plain(error) })
    }
  }

  /** @param {number} consumed @param {number} length */
  read(consumed, length) {
    this.#consume(consumed)
    const bytes = new Uint8Array(length)
    this.#buffer.copy(bytes, 0, this.#start, this.#start + length)
    tell({ id: this.#id, report: 'read', bytes, waiting: this.#waiting }, [bytes.buffer])
  }

  /** @param {boolean} keepConnection Reads the rest if that is little. */
  close(keepConnection) {
    this.#dropped = true
    if (this.#ended || this.#error) return this.#forget()
    const worthIt = keepConnection && (this.#length === Infinity || this.#length <= worthReading)
    if (!worthIt) return this.#abort()
    this.#discard(this.#waiting)
    this.#sending?.resume()
  }

  get #waiting() {
    return this.#end - this.#start
  }

  /** @param {number} bytes */
  #consume(bytes) {
    this.#start += bytes
    if (this.#start === this.#end) this.#start = this.#end = 0
    if (bytes > 0 && this.#waiting < readAhead) this.#sending?.resume()
  }

  /** All that one turn brings is told at once. */
  #tellSoon() {
    if (!this.#awaited || this.#telling) return
    this.#telling = true
    setImmediate(() => {
      this.#telling = false
      if (this.#awaited) this.#tellWhatCame()
    })
  }

  #tellWhatCame() {
    this.#awaited = false
    const id = this.#id
    if (this.#waiting > 0) return tell({ id, report: 'came', waiting: this.#waiting })
    if (this.#error) tell({ id, report: 'failed', error: plain(this.#error) })
    else if (this.#ended) tell({ id, report: 'ended' })
    else {
      this.#awaited = true
      return
    }
    this.#forget()
  }

  /** @param {number} length */
  #makeRoom(length) {
    const before = this.#buffer
    const waiting = before.subarray(this.#start, this.#end)
    if (waiting.length + length > before.length) this.#buffer = this.#bufferOf(waiting.length + length)
    waiting.copy(this.#buffer)
    if (this.#buffer !== before) recycle(before)
    this.#start = 0
    this.#end = waiting.length
  }

  /** @param {number} bytes */
  #bufferOf(bytes) {
    if (bytes <= bufferSize && this.#length >= bufferSize) return spare.pop() ?? Buffer.allocUnsafeSlow(bufferSize)
    return Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(bufferSize, this.#length)))
  }

  /** @param {number} bytes */
  #discard(bytes) {
    this.#start = this.#end = 0
    this.#droppedBytes += bytes
    if (this.#droppedBytes > worthReading && !this.#error) this.#abort()
  }

  #abort() {
    this.#error ??= new Error('closed')
    this.#sending?.abort(/** @type {Error} */ (this.#error))
  }

  #forget() {
    recycle(this.#buffer)
    this.#buffer = Buffer.alloc(0)
    this.#start = this.#end = 0
    transfers.delete(this.#id)
  }
}

/** @param {Buffer<ArrayBuffer>} buffer */
function recycle(buffer) {
  if (buffer.length === bufferSize && spare.length < mostSpare) spare.push(buffer)
}

parentPort?.on('message', (/** @type {import('./transfers.ts').TransferOrder} */ order) => {
  if (order.order === 'ask') {
    const transfer = new Transfer(order.id)
    transfers.set(order.id, transfer)
    const way = ways[order.way]
    return (order.fresh ? way.fresh : way.pooled).dispatch(order.request, transfer)
  }
  const transfer = transfers.get(order.id)
  // It has come to its end, and the main thread will read of it, or has.
  if (!transfer) return
  if (order.order === 'next') transfer.next(order.consumed)
  else if (order.order === 'write') transfer.write(order)
  else if (order.order === 'read') transfer.read(order.consumed, order.length)
  else transfer.close(order.keepConnection)
})

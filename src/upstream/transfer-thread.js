// Blobs come in on a thread of their own: TLS, HTTP and writing to files cost most of what a fill costs, and whoever asks
// for a manifest meanwhile waits for none of it. The main thread decides what becomes of the bytes that have come: into
// which file, at which position.
// Plain JavaScript: a worker is started from a file, and the same file serves sources and build.
import { writeSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setImmediate } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'
import { Buffers } from '../oci/buffers.js'
import { chunkCollector } from './chunk-garbage.js'
import { codeOf } from './error-code.js'
import { Incoming, promisedLength } from './incoming.js'
import { openWays } from './ways.js'

// On Linux this concerns the calling thread alone. Before hashing, behind whoever waits for an answer.
setPriority(5)

/** A body is read ahead of what becomes of it by this much, in bytes: few large writes then do. */
const readAhead = 256 * 1024
/** The most that comes between two looks at whether to pause, in bytes: what undici's socket holds. */
const mostAtOnce = 128 * 1024
/** Of buffers, as many as bodies commonly run at once. */
const mostSpare = 16
/** Of chunks that were copied so much is left before it is collected, in bytes. */
const garbage = 2 * 1024 * 1024

const buffers = new Buffers(readAhead + mostAtOnce, mostSpare)
const dropped = chunkCollector(garbage)
/** @type {unknown} */
const settings = workerData
const ways = openWays(/** @type {import('./ways.js').WaySettings} */ (settings))
/** @type {Map<number, Transfer>} */
const transfers = new Map()

/** @param {import('./transfers.ts').TransferReport} report @param {ArrayBuffer[]} [moved] */
const tell = (report, moved = []) => parentPort?.postMessage(report, moved)

/** @param {unknown} error */
function plain(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return { name, message, code: codeOf(error) }
}

/** One request, and what comes of it. */
class Transfer {
  #id
  /** @type {import('undici').Dispatcher.DispatchController | undefined} */
  #sending
  /** @type {Incoming | undefined} */
  #body
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
  }

  /** @param {unknown} _controller @param {number} status @param {import('./exchange.ts').Headers} headers */
  onResponseStart(_controller, status, headers) {
    // 1xx comes before the answer.
    if (status < 200 || !this.#sending) return
    const [sending, length] = [this.#sending, promisedLength(headers)]
    this.#body = new Incoming({ sending, length, readAhead, buffers, changed: () => this.#changed() })
    tell({ id: this.#id, report: 'answered', status, headers })
  }

  /** @param {unknown} _controller @param {Buffer} chunk */
  onResponseData(_controller, chunk) {
    dropped(chunk.length)
    this.#body?.arrived(chunk)
  }

  onResponseEnd() {
    this.#body?.ended()
  }

  /** @param {unknown} _controller @param {Error} error */
  onResponseError(_controller, error) {
    if (this.#body) return this.#body.failed(error)
    tell({ id: this.#id, report: 'refused', error: plain(error) })
    transfers.delete(this.#id)
  }

  // Told by the main thread.

  /** What comes next is to be told; `consumed` bytes of what was there are done with. @param {number} consumed */
  next(consumed) {
    this.#body?.consume(consumed)
    this.#awaited = true
    this.#tellWhatCame()
  }

  /** @param {{ consumed: number, file: number, start: number, end: number, position: number }} order */
  write({ consumed, file, start, end, position }) {
    const body = /** @type {Incoming} */ (this.#body)
    body.consume(consumed)
    try {
      const bytes = body.peek(start, end)
      for (let done = 0; done < bytes.length;) {
        done += writeSync(file, bytes, done, bytes.length - done, position + done)
      }
      tell({ id: this.#id, report: 'written', waiting: body.waiting })
    } catch (error) {
      tell({ id: this.#id, report: 'unwritten', error: plain(error) })
    }
  }

  /** @param {number} consumed @param {number} length */
  read(consumed, length) {
    const body = /** @type {Incoming} */ (this.#body)
    body.consume(consumed)
    const bytes = new Uint8Array(body.peek(0, length))
    tell({ id: this.#id, report: 'read', bytes, waiting: body.waiting }, [bytes.buffer])
  }

  /** @param {boolean} keepConnection Reads the rest if that is little. */
  close(keepConnection) {
    if (keepConnection) this.#body?.drop()
    else this.#body?.destroy()
  }

  #changed() {
    if (this.#body?.isGone) return this.#forget()
    // All that one turn brings is told at once.
    if (!this.#awaited || this.#telling) return
    this.#telling = true
    setImmediate(() => {
      this.#telling = false
      if (this.#awaited) this.#tellWhatCame()
    })
  }

  /** Unless nothing has. */
  #tellWhatCame() {
    const [id, body] = [this.#id, this.#body]
    if (body && body.waiting > 0) tell({ id, report: 'came', waiting: body.waiting })
    else if (body?.error) tell({ id, report: 'failed', error: plain(body.error) })
    else if (body?.isComplete) tell({ id, report: 'ended' })
    else return
    this.#awaited = false
    if (body.waiting === 0) this.#forget()
  }

  #forget() {
    this.#body?.giveBack()
    transfers.delete(this.#id)
  }
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

// Plain JavaScript: the transfer thread needs it, too.
import { Buffer } from 'node:buffer'

/** A body that nobody wants is read to its end, for its connection to live on, if no more than this comes; in bytes. */
const worthReading = 64 * 1024

const none = Buffer.alloc(0)

/**
 * What a body's headers promise, in bytes; Infinity where they promise nothing.
 * @param {import('./exchange.ts').Headers} headers
 * @returns {number}
 */
export function promisedLength(headers) {
  const length = Number(headers['content-length'] ?? NaN)
  return Number.isSafeInteger(length) ? length : Infinity
}

/**
 * Stops and resumes what the connection sends; part of what undici hands to those who receive an answer.
 * @typedef {Pick<import('undici').Dispatcher.DispatchController, 'pause' | 'resume' | 'abort'>} Sending
 */

/**
 * @typedef {object} IncomingOptions
 * @property {Sending} sending
 * @property {number} length
 * @property {number} readAhead So much may wait to be taken before the connection is paused, in bytes.
 * @property {import('../oci/buffers.js').Buffers} [buffers] For what waits of large bodies.
 * @property {() => void} changed Called when something came, and when it is over.
 */

/** A body as it comes: what was not taken yet. It is copied at once: chunks that wait grow old, and cost V8 dearly then. */
export class Incoming {
  /** What the headers promise, in bytes; Infinity where they promise nothing. @type {number} */
  length
  #options
  /** What has come and was not taken yet lies between `#start` and `#end`. */
  #buffer = none
  #start = 0
  #end = 0
  #dropped = false
  #droppedBytes = 0
  /** Whether all of it has come. */
  isComplete = false
  /** How it broke off, if it did. What came before can still be taken. @type {Error | undefined} */
  error

  /** @param {IncomingOptions} options */
  constructor(options) {
    this.length = options.length
    this.#options = options
  }

  /** Bytes. */
  get waiting() {
    return this.#end - this.#start
  }

  /** Nobody wants it, and nothing more comes of it. */
  get isGone() {
    return this.#dropped && (this.isComplete || this.error !== undefined)
  }

  /**
   * Part of what waits; good until something of it is consumed or more comes.
   * @param {number} start
   * @param {number} end
   */
  peek(start, end) {
    return this.#buffer.subarray(this.#start + start, this.#start + end)
  }

  /** Takes bytes off the front of what waits. @param {number} bytes */
  consume(bytes) {
    this.#start += bytes
    if (bytes > 0 && this.waiting < this.#options.readAhead) this.#options.sending.resume()
  }

  /** Told by the connection: bytes that are its own again afterwards. @param {Buffer} chunk */
  arrived(chunk) {
    if (this.#dropped) return this.#discard(chunk.length)
    if (this.#start === this.#end) this.#start = this.#end = 0
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length)
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
    if (this.waiting >= this.#options.readAhead) this.#options.sending.pause()
    this.#options.changed()
  }

  /** Told by the connection. */
  ended() {
    this.isComplete = true
    this.#options.changed()
  }

  /** Told by the connection. @param {Error} error */
  failed(error) {
    this.error ??= error
    this.#options.changed()
  }

  /** Breaks the transfer off, if it is not over. */
  destroy() {
    this.giveBack()
    this.#dropped = true
    this.failed(new Error('closed'))
    this.#options.sending.abort(/** @type {Error} */ (this.error))
  }

  /** Lets go of a body nobody wants; a short one is read so that the connection lives on. */
  drop() {
    const { sending, changed } = this.#options
    if (!this.isComplete && this.length !== Infinity && this.length > worthReading) return this.destroy()
    this.#dropped = true
    if (this.isComplete) {
      this.giveBack()
      return changed()
    }
    this.#discard(this.waiting)
    this.giveBack()
    sending.resume()
  }

  /** Nothing that waits will be taken any more. */
  giveBack() {
    this.#recycle(this.#buffer)
    this.#buffer = none
    this.#start = this.#end = 0
  }

  /** @param {number} length */
  #makeRoom(length) {
    const before = this.#buffer
    const waiting = before.subarray(this.#start, this.#end)
    if (waiting.length + length > before.length) this.#buffer = this.#bufferOf(waiting.length + length)
    waiting.copy(this.#buffer)
    if (this.#buffer !== before) this.#recycle(before)
    this.#start = 0
    this.#end = waiting.length
  }

  /** @param {number} bytes */
  #bufferOf(bytes) {
    const { buffers, readAhead } = this.#options
    if (buffers && bytes <= buffers.size && this.length >= buffers.size) return buffers.take()
    return Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(buffers?.size ?? readAhead, this.length)))
  }

  /** @param {Buffer<ArrayBuffer>} buffer */
  #recycle(buffer) {
    const { buffers } = this.#options
    if (buffer.length === buffers?.size) buffers.give(buffer)
  }

  /** @param {number} bytes */
  #discard(bytes) {
    this.#droppedBytes += bytes
    if (this.#droppedBytes > worthReading && !this.error) this.destroy()
  }
}

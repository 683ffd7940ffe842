import type { Dispatcher } from 'undici'
import type { ReceivedBody } from './exchange.ts'

/** A body is read ahead of whoever reads it by this much, in bytes. */
const readAhead = 64 * 1024

/** A body that nobody wants is read to its end, for its connection to live on, if no more than this comes; in bytes. */
const worthReading = 64 * 1024

/** Stops and resumes what the connection sends; part of what undici hands to those who receive an answer. */
export type Sending = Pick<Dispatcher.DispatchController, 'pause' | 'resume' | 'abort'>

const none = Buffer.alloc(0)

/** The body of an answer. What comes is copied at once: chunks that wait grow old, and cost V8 dearly then. */
export class Body implements ReceivedBody {
  readonly length: number
  readonly #sending: Sending
  /** What has come and was not read yet lies between `#start` and `#end`. */
  #buffer: Buffer<ArrayBuffer> = none
  #start = 0
  #end = 0
  #ended = false
  #error: Error | undefined
  #dropped = false
  #droppedBytes = 0
  #wake: (() => void) | undefined

  constructor(sending: Sending, length: number) {
    this.#sending = sending
    this.length = length
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#start === this.#end) {
      if (this.#error) throw this.#error
      if (this.#ended) {
        this.#giveBack()
        return 0
      }
      await new Promise<void>((wake) => (this.#wake = wake))
    }
    const got = this.#buffer.copy(into, 0, this.#start, this.#end)
    this.#start += got
    if (this.#end - this.#start < readAhead) this.#sending.resume()
    return got
  }

  destroy(): void {
    this.#giveBack()
    this.#dropped = true
    this.failed(new Error('closed'))
    this.#sending.abort(this.#error!)
  }

  drop(): void {
    this.#dropped = true
    if (this.#ended) return this.#giveBack()
    if (this.length !== Infinity && this.length > worthReading) return this.destroy()
    this.#discard(this.#end - this.#start)
    this.#giveBack()
    this.#sending.resume()
  }

  /** Told by the connection: bytes that are its own again afterwards. */
  arrived(chunk: Buffer): void {
    if (this.#dropped) return this.#discard(chunk.length)
    if (this.#start === this.#end) this.#start = this.#end = 0
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length)
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
    if (this.#end - this.#start >= readAhead) this.#sending.pause()
    this.#wake?.()
  }

  /** Told by the connection. */
  ended(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** Told by the connection. What came before can still be read. */
  failed(error: Error): void {
    this.#error ??= error
    this.#wake?.()
  }

  #makeRoom(length: number): void {
    const before = this.#buffer
    const waiting = before.subarray(this.#start, this.#end)
    const needed = waiting.length + length
    if (needed > before.length)
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(readAhead, this.length)))
    waiting.copy(this.#buffer)
    this.#start = 0
    this.#end = waiting.length
  }

  #giveBack(): void {
    this.#buffer = none
    this.#start = this.#end = 0
  }

  #discard(bytes: number): void {
    this.#droppedBytes += bytes
    if (this.#droppedBytes > worthReading && !this.#error) this.destroy()
  }
}

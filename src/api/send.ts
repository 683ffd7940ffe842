import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Buffers } from '../oci/buffers.js'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'

/** Where a client is fast: large enough that system calls do not count. One reused buffer a response, whatever the blob's size. */
const largeBuffer = 512 * 1024
/** Where nothing is known of it yet: most layers are sent before anything is. */
const middleBuffer = 256 * 1024
/** Where it is slow: hundreds of slow clients must not fill the memory. */
const smallBuffer = 64 * 1024
/** A client that takes this many bytes within this time, in milliseconds, is a fast one: more than the system's own buffers hold. */
const fast = { bytes: 12 * 1024 * 1024, time: 300 }
/** One that lets us wait longer than this for a single write, in milliseconds, is slow until it proves fast. */
const slow = 50
/** So many responses may hold one of the larger buffers at once. */
const most = { large: 64, middle: 4 }
/** Headers wait this long for the first bytes to go with; then they go alone, for containerd waits only 30 s for them. */
const headersAlone = 50

export interface SendResult {
  /** Of the body. */
  bytes: number
  /** What ended it early. */
  broken?: unknown
}

/** A client that closed its connection before the end: its right, and nobody's fault. */
class ClientLeft extends Error {}

/** Sends blob bodies on Node's own response: web streams would halve the rate. */
export class Sender {
  readonly large = new Shelf(largeBuffer, most.large)
  readonly middle = new Shelf(middleBuffer, most.middle)

  /**
   * Writes the head and then the blob, at the client's pace. Never rejects: after the head is out, the only honest sign of a
   * failure is a broken connection.
   */
  send(out: ServerResponse, status: number, headers: OutgoingHttpHeaders, blob: Blob): Promise<SendResult> {
    return this.#guarded(out, status, headers, async (pump) => {
      await pump.copy(blob)
      out.end()
    })
  }

  /** Writes several ranges as multipart/byteranges (RFC 9110, 14.6); `open` opens each as its turn comes. */
  sendParts(
    out: ServerResponse,
    headers: OutgoingHttpHeaders,
    parts: { head: string; range: ByteRange }[],
    tail: string,
    open: (range: ByteRange) => Promise<Blob>,
  ): Promise<SendResult> {
    return this.#guarded(out, 206, headers, async (pump) => {
      for (const { head, range } of parts) {
        await write(out, Buffer.from(head))
        await pump.copy(await open(range))
      }
      out.end(tail)
    })
  }

  async #guarded(
    out: ServerResponse,
    status: number,
    headers: OutgoingHttpHeaders,
    body: (pump: Pump) => Promise<void>,
  ): Promise<SendResult> {
    const pump = new Pump(out, this)
    try {
      out.writeHead(status, headers)
      await body(pump)
      return { bytes: pump.bytes }
    } catch (error) {
      const broken = out.destroyed ? new ClientLeft() : error
      out.destroy()
      return { bytes: pump.bytes, broken }
    } finally {
      pump.end()
    }
  }
}

/** Buffers of one size, of which so many may be in use at once. */
class Shelf extends Buffers {
  #free: number

  constructor(size: number, most: number) {
    super(size, Math.min(most, 8))
    this.#free = most
  }

  /** Whether one more may be in use; whoever was admitted leaves. */
  admit(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  leave(): void {
    this.#free++
  }
}

/** Copies blobs to one response: through a buffer, which is small for slow clients, or from memory that is lent to others. */
class Pump {
  bytes = 0
  readonly #out: ServerResponse
  readonly #sender: Sender
  #buffer: Buffer | undefined
  #wasSlow = false
  #isProven = false
  #large: Buffer<ArrayBuffer> | undefined
  #markBytes = 0
  #markTime = performance.now()

  constructor(out: ServerResponse, sender: Sender) {
    this.#out = out
    this.#sender = sender
  }

  /** Copies a blob to its end and closes it; closes it at once when the client leaves. */
  async copy(blob: Blob): Promise<void> {
    const out = this.#out
    const onClose = () => blob.close()
    const flush = setTimeout(() => out.flushHeaders(), headersAlone)
    out.once('close', onClose)
    try {
      for (;;) {
        const sent = await this.#sendNext(blob)
        clearTimeout(flush)
        if (sent === 0) return
        this.bytes += sent
      }
    } finally {
      clearTimeout(flush)
      out.off('close', onClose)
      blob.close()
    }
  }

  /** Returns how many bytes; 0 at the end. */
  async #sendNext(blob: Blob): Promise<number> {
    const { large, middle } = this.#sender
    this.#isProven ||= this.#isFast() && large.admit()
    if (this.#isProven) return this.#sendMuch(blob)
    const { range } = blob
    const isLittle = range !== undefined && range.end - range.start <= smallBuffer
    if (isLittle || this.#wasSlow || !middle.admit()) return this.#send(blob, this.#smallBuffer(range))
    const buffer = middle.take()
    try {
      return await this.#send(blob, buffer)
    } finally {
      middle.give(buffer)
      middle.leave()
    }
  }

  async #sendMuch(blob: Blob): Promise<number> {
    const lent = await blob.borrow?.()
    if (!lent) return this.#send(blob, (this.#large ??= this.#sender.large.take()))
    this.#giveLargeBack()
    try {
      await this.#write(lent.bytes)
      return lent.bytes.length
    } finally {
      lent.release()
    }
  }

  async #send(blob: Blob, buffer: Buffer): Promise<number> {
    const got = await blob.read(buffer)
    if (got > 0) await this.#write(got === buffer.length ? buffer : buffer.subarray(0, got))
    return got
  }

  end(): void {
    this.#giveLargeBack()
    if (this.#isProven) this.#sender.large.leave()
    this.#isProven = false
  }

  #giveLargeBack(): void {
    if (this.#large) this.#sender.large.give(this.#large)
    this.#large = undefined
  }

  #smallBuffer(range: ByteRange | undefined): Buffer {
    const length = range ? range.end - range.start : smallBuffer
    return (this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(smallBuffer, Math.max(4096, length))))
  }

  async #write(bytes: Buffer): Promise<void> {
    const started = performance.now()
    await write(this.#out, bytes)
    this.#wasSlow ||= performance.now() - started > slow
  }

  #isFast(): boolean {
    if (this.bytes - this.#markBytes < fast.bytes) return false
    const now = performance.now()
    const quick = now - this.#markTime < fast.time
    this.#markBytes = this.bytes
    this.#markTime = now
    return quick
  }
}

/** Resolves when the bytes have been handed to the system, and their buffer may be used again. */
function write(out: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (out.destroyed) return reject(new ClientLeft())
    // Neither callback comes when the peer vanishes in between.
    const onClose = () => reject(new ClientLeft())
    out.once('close', onClose)
    out.write(bytes, (error) => {
      out.off('close', onClose)
      if (error) reject(error)
      else resolve()
    })
  })
}

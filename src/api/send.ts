import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Buffers } from '../oci/buffers.js'
import type { ByteRange } from '../oci/range.ts'
import type { Blob, Lent } from '../oci/registry.ts'

/** Where a client is fast: large enough that system calls do not count. One reused buffer a response, whatever the blob's size. */
const largeBuffer = 512 * 1024
/** Where it is slow or only begins: hundreds of slow clients must not fill the memory. */
const smallBuffer = 64 * 1024
/**
 * A client that lets us wait no longer than this for so many bytes, in milliseconds, is a fast one: that is more than the
 * system's own buffers hold.
 */
const fast = { bytes: 12 * 1024 * 1024, time: 300 }
/** More responses than this do not hold a large buffer each. */
const mostLarge = 64
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
  readonly buffers = new Buffers(largeBuffer, 8)
  #large = 0

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

  /** Whether one more response may hold a large buffer, of its own or lent; if so, it leaves when that is over. */
  admitLarge(): boolean {
    if (this.#large >= mostLarge) return false
    this.#large++
    return true
  }

  leaveLarge(): void {
    this.#large--
  }
}

/** Copies blobs to one response: through one buffer, which grows when the client proves fast, or from memory that is lent to such. */
class Pump {
  bytes = 0
  readonly #out: ServerResponse
  readonly #sender: Sender
  #buffer: Buffer | undefined
  #isLarge = false
  #large: Buffer<ArrayBuffer> | undefined
  #judgedBytes = 0
  /** Milliseconds that the client has taken since it was judged. */
  #taking = 0

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
    this.#isLarge ||= this.#isFast() && this.#sender.admitLarge()
    const lent = this.#isLarge ? await blob.borrow?.() : undefined
    if (lent) return this.#sendLent(lent)
    const buffer = this.#isLarge ? this.#largeBuffer() : this.#smallBuffer(blob.range)
    const got = await blob.read(buffer)
    if (got > 0) await this.#write(got === buffer.length ? buffer : buffer.subarray(0, got))
    return got
  }

  async #sendLent({ bytes, release }: Lent): Promise<number> {
    this.#giveLargeBack()
    try {
      await this.#write(bytes)
      return bytes.length
    } finally {
      release()
    }
  }

  end(): void {
    this.#giveLargeBack()
    if (this.#isLarge) this.#sender.leaveLarge()
    this.#isLarge = false
  }

  #largeBuffer(): Buffer {
    return (this.#large ??= this.#sender.buffers.take())
  }

  #giveLargeBack(): void {
    if (this.#large) this.#sender.buffers.give(this.#large)
    this.#large = undefined
  }

  #smallBuffer(range: ByteRange | undefined): Buffer {
    const length = range ? range.end - range.start : smallBuffer
    return (this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(smallBuffer, Math.max(4096, length))))
  }

  async #write(bytes: Buffer): Promise<void> {
    const started = performance.now()
    await write(this.#out, bytes)
    this.#taking += performance.now() - started
  }

  #isFast(): boolean {
    if (this.bytes - this.#judgedBytes < fast.bytes) return false
    const quick = this.#taking < fast.time
    this.#judgedBytes = this.bytes
    this.#taking = 0
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

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'

/** One reused buffer a response: large enough that system calls do not count, whatever the blob's size. */
const bufferSize = 512 * 1024
/** With very many responses at once smaller buffers bound the memory. */
const manyResponses = 64
const smallBufferSize = 64 * 1024

/** Sends blob bodies on Node's own response: web streams would halve the rate. */
export class Sender {
  #sending = 0
  readonly #spare: Buffer[] = []

  /** Responses under way. */
  get sending(): number {
    return this.#sending
  }

  /**
   * Writes the head and then the blob, at the client's pace. Never rejects: after the head is out, the only honest sign of a
   * failure is a broken connection. Resolves with the bytes written and what broke it off, if anything did.
   */
  async send(out: ServerResponse, status: number, headers: OutgoingHttpHeaders, blob: Blob): Promise<SendResult> {
    const onClose = () => blob.close()
    out.once('close', onClose)
    const buffer = this.#takeBuffer(blob.range)
    this.#sending++
    let bytes = 0
    try {
      out.writeHead(status, headers)
      for (;;) {
        const got = await blob.read(buffer)
        if (got === 0) break
        bytes += got
        await write(out, got === buffer.length ? buffer : buffer.subarray(0, got))
      }
      out.end()
      return { bytes }
    } catch (error) {
      const left = out.destroyed
      out.destroy()
      return { bytes, broken: left ? new ClientLeft() : error }
    } finally {
      this.#sending--
      this.#giveBuffer(buffer)
      out.off('close', onClose)
      blob.close()
    }
  }

  /** Writes several ranges as multipart/byteranges (RFC 9110, 14.6); `open` opens each as its turn comes. */
  async sendParts(
    out: ServerResponse,
    headers: OutgoingHttpHeaders,
    parts: { head: string; range: ByteRange }[],
    tail: string,
    open: (range: ByteRange) => Promise<Blob>,
  ): Promise<SendResult> {
    let bytes = 0
    const buffer = this.#takeBuffer(undefined)
    this.#sending++
    try {
      out.writeHead(206, headers)
      for (const { head, range } of parts) {
        await write(out, Buffer.from(head))
        const blob = await open(range)
        try {
          for (let got = await blob.read(buffer); got > 0; got = await blob.read(buffer)) {
            bytes += got
            await write(out, buffer.subarray(0, got))
          }
        } finally {
          blob.close()
        }
      }
      out.end(tail)
      return { bytes }
    } catch (error) {
      const left = out.destroyed
      out.destroy()
      return { bytes, broken: left ? new ClientLeft() : error }
    } finally {
      this.#sending--
      this.#giveBuffer(buffer)
    }
  }

  #takeBuffer(range: ByteRange | undefined): Buffer {
    const length = range ? range.end - range.start : Infinity
    const most = this.#sending < manyResponses ? bufferSize : smallBufferSize
    if (length < most) return Buffer.allocUnsafeSlow(Math.max(1, length))
    return (most === bufferSize && this.#spare.pop()) || Buffer.allocUnsafeSlow(most)
  }

  #giveBuffer(buffer: Buffer): void {
    if (buffer.length === bufferSize && this.#spare.length < 8) this.#spare.push(buffer)
  }
}

export interface SendResult {
  bytes: number
  /** What ended it early. */
  broken?: unknown
}

/** A client that closed its connection before the end: its right, and nobody's fault. */
export class ClientLeft extends Error {}

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

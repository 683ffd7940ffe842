import type { ServerResponse } from 'node:http'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import type { Answer, Body } from './answer.ts'
import type { BodyPlan } from './faults.ts'

/** Sends an answer; tells `onSent` of every piece of the body that the connection has taken. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  plan: BodyPlan,
  onSent: (bytes: number) => void,
): Promise<void> {
  const { body, headers } = answer
  const length = body ? body.end - body.start - plan.shortBy + plan.longBy : 0
  response.writeHead(answer.status, headers['content-length'] && body ? withLength(headers, length) : headers)
  if (!body) return void response.end()
  response.flushHeaders()
  const pieces = new Pieces(bytesOf(body, plan), plan.bytesPerSecond)
  let sent = 0
  for (const stop of [...plan.stops, { at: length, then: Promise.resolve() }]) {
    for await (const piece of pieces.take(stop.at - sent)) {
      if (!(await write(response, piece))) return
      onSent(piece.length)
    }
    sent = stop.at
    if (stop.then === 'cut') return cut(response)
    if (!(await orClosed(stop.then, response))) return
  }
  response.end()
}

function withLength(headers: Answer['headers'], length: number): Answer['headers'] {
  return { ...headers, 'content-length': String(length) }
}

function* bytesOf(body: Body, { shortBy, longBy, wrongByte, shiftBy = 0 }: BodyPlan): Generator<Buffer> {
  let at = body.start
  for (const chunk of shifted(body, shiftBy, shortBy)) {
    yield wrongByte === undefined ? chunk : flipped(chunk, wrongByte - at)
    at += chunk.length
  }
  if (longBy > 0) yield Buffer.alloc(longBy)
}

function* shifted({ bytes, start, end }: Body, by: number, shortBy: number): Generator<Buffer> {
  const length = end - start - shortBy
  const from = Math.min(bytes.size, start + by)
  const to = Math.min(bytes.size, from + length)
  yield* bytes.chunks(from, to)
  if (to - from < length) yield Buffer.alloc(length - (to - from))
}

function flipped(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk
  const copy = Buffer.from(chunk)
  copy[at]! ^= 0xff
  return copy
}

/** The body in pieces of a handy size, at a given rate. */
class Pieces {
  readonly #source: Iterator<Buffer>
  readonly #rate: number | undefined
  readonly #began = performance.now()
  #rest: Buffer = Buffer.alloc(0)
  #taken = 0

  constructor(source: Iterator<Buffer>, bytesPerSecond: number | undefined) {
    this.#source = source
    this.#rate = bytesPerSecond
  }

  async *take(count: number): AsyncGenerator<Buffer> {
    while (count > 0) {
      if (this.#rest.length === 0) {
        const next = this.#source.next()
        if (next.done) return
        this.#rest = next.value
      }
      const piece = this.#rest.subarray(0, Math.min(count, this.#pieceSize()))
      this.#rest = this.#rest.subarray(piece.length)
      count -= piece.length
      this.#taken += piece.length
      await this.#keepPace()
      yield piece
    }
  }

  // At most 50 pieces a second: timers are not finer than that under load.
  #pieceSize(): number {
    return this.#rate === undefined ? 1024 * 1024 : Math.max(1, Math.floor(this.#rate / 50))
  }

  async #keepPace(): Promise<void> {
    if (this.#rate === undefined) return
    const early = this.#began + (this.#taken / this.#rate) * 1000 - performance.now()
    if (early > 1) await after(early)
  }
}

/** False when the connection is gone. */
async function write(response: ServerResponse, piece: Buffer): Promise<boolean> {
  if (response.destroyed) return false
  const taken = response.write(piece)
  return taken || (await orClosed(once(response, 'drain'), response))
}

async function orClosed(event: Promise<unknown>, response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return false
  const ended = new AbortController()
  const closed = once(response, 'close', { signal: ended.signal }).then(
    () => false,
    () => false,
  )
  const happened = event.then(
    () => true,
    () => false,
  )
  const open = await Promise.race([happened, closed])
  ended.abort()
  return open && !response.destroyed
}

// What was written before must still arrive: the connection is broken once the kernel has it.
function cut(response: ServerResponse): void {
  response.socket?.destroySoon()
}

import { Worker } from 'node:worker_threads'
import type { Arrival } from '../oci/registry.ts'
import type { Headers, Received, ReceivedBody, Sent } from './exchange.ts'
import { promisedLength } from './incoming.js'
import type { WaySettings } from './ways.js'

/** What the transfer thread is told. `consumed` bytes of what has come are done with before the rest of the order holds. */
export type TransferOrder =
  | { order: 'ask'; id: number; way: 'open' | 'guarded'; fresh: boolean; request: TransferRequest }
  | { order: 'next'; id: number; consumed: number }
  | { order: 'write'; id: number; consumed: number; file: number; start: number; end: number; position: number }
  | { order: 'read'; id: number; consumed: number; length: number }
  | { order: 'close'; id: number; keepConnection: boolean }

interface TransferRequest {
  origin: string
  path: string
  method: 'GET' | 'HEAD' | 'POST'
  headers: Record<string, string>
}

interface PlainError {
  name: string
  message: string
  code: string | undefined
}

/** What the transfer thread tells. `waiting` bytes have come and are not consumed. */
export type TransferReport =
  | { id: number; report: 'answered'; status: number; headers: Headers }
  | { id: number; report: 'refused'; error: PlainError }
  | { id: number; report: 'failed' | 'unwritten'; error: PlainError }
  | { id: number; report: 'came' | 'written'; waiting: number }
  | { id: number; report: 'read'; waiting: number; bytes: Uint8Array }
  | { id: number; report: 'ended' }

interface Settler<T> {
  resolve: (value: T) => void
  reject: (error: Error) => void
}

interface Asked extends Settler<Received> {
  body?: TransferredBody
}

/** The transfer thread, shared by all upstreams: what it brings is put into files without passing through this thread. */
export class Transfers {
  readonly #settings: WaySettings
  #worker: Worker | undefined
  #nextId = 1
  readonly #asked = new Map<number, Asked>()

  constructor(settings: WaySettings) {
    this.#settings = settings
  }

  /** Sends a request without a body; resolves with the head of its answer. Rejects with the network's error, its code kept. */
  ask(way: 'open' | 'guarded', fresh: boolean, url: URL, { method, headers }: Sent): Promise<Received> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      const request = { origin: url.origin, path: url.pathname + url.search, method, headers }
      this.#send({ order: 'ask', id, way, fresh, request })
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #send(order: TransferOrder): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(order)
  }

  #start(): Worker {
    const file = new URL('./transfer-thread.js', import.meta.url)
    const worker = new Worker(file, { execArgv: [], workerData: this.#settings, resourceLimits })
    worker.unref()
    worker.on('message', (report: TransferReport) => this.#hear(report))
    worker.on('error', (error: Error) => this.#lose(error))
    worker.on('exit', () => this.#lose(new Error('the transfer thread has ended')))
    return worker
  }

  #hear(report: TransferReport): void {
    const asked = this.#asked.get(report.id)
    if (!asked) return
    if (report.report === 'answered') {
      const { id, status, headers } = report
      const send = (order: TransferOrder) => this.#send(order)
      const forget = () => void this.#asked.delete(id)
      asked.body = new TransferredBody({ id, length: promisedLength(headers), send, forget })
      asked.resolve({ status, headers, body: asked.body })
    } else if (report.report === 'refused') {
      this.#asked.delete(report.id)
      asked.reject(revived(report.error))
    } else asked.body!.hear(report)
  }

  #lose(error: Error): void {
    this.#worker = undefined
    for (const { body, reject } of this.#asked.values()) {
      if (body) body.lose(error)
      else reject(error)
    }
    this.#asked.clear()
  }
}

/** Of V8's heap of that thread, in MiB: what passes through it lies outside. */
const resourceLimits = { maxYoungGenerationSizeMb: 2 }

/** The body of an answer that comes in on the transfer thread. */
class TransferredBody implements ReceivedBody {
  readonly length: number
  readonly #id: number
  readonly #send: (order: TransferOrder) => void
  readonly #forget: () => void
  /** Bytes that have come and were not handed out, as far as is known here. */
  #waiting = 0
  /** Bytes that were handed out last: they stay until more is asked for. */
  #handedOut = 0
  /** Bytes that are done with, of which the thread has not been told yet. */
  #consumed = 0
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined
  #reading: Settler<Uint8Array> | undefined
  readonly #writes: Settler<void>[] = []

  /** `forget` is called when nothing more will be told of it. */
  constructor({ id, length, send, forget }: TransferredBodyOptions) {
    this.#id = id
    this.length = length
    this.#send = send
    this.#forget = forget
  }

  async read(into: Uint8Array): Promise<number> {
    const length = Math.min(await this.#come(), into.length)
    if (length === 0) return 0
    const bytes = await new Promise<Uint8Array>((resolve, reject) => {
      this.#reading = { resolve, reject }
      this.#send({ order: 'read', id: this.#id, consumed: this.#takeConsumed(), length })
    })
    into.set(bytes)
    this.#handOut(length)
    return length
  }

  async arrival(): Promise<Arrival | undefined> {
    const length = await this.#come()
    if (length === 0) return undefined
    this.#handOut(length)
    return this.#stretch(0, length)
  }

  destroy(): void {
    this.#leave(false)
  }

  drop(): void {
    this.#leave(true)
  }

  hear(report: Exclude<TransferReport, { report: 'answered' | 'refused' }>): void {
    switch (report.report) {
      case 'came':
        this.#waiting = report.waiting
        this.#wake?.()
        break
      case 'read':
        this.#reading?.resolve(report.bytes)
        break
      case 'written':
        this.#writes.shift()!.resolve()
        // What was handed out is among what the thread keeps.
        if (this.#writes.length === 0) this.#waiting = report.waiting - this.#handedOut
        break
      case 'unwritten':
        this.#writes.shift()!.reject(revived(report.error))
        break
      case 'ended':
        this.#ended = true
        this.#over()
        break
      case 'failed':
        this.#error ??= revived(report.error)
        this.#over()
        break
    }
    if (this.#error) this.#over()
  }

  /** The thread is gone, and with it whatever had come. */
  lose(error: Error): void {
    this.#error ??= error
    for (const { reject } of this.#writes.splice(0)) reject(error)
    this.#reading?.reject(error)
    this.#over()
  }

  /** Waits until bytes have come and returns how many; 0 at the end. What was handed out before is done with. */
  async #come(): Promise<number> {
    this.#consumed += this.#handedOut
    this.#handedOut = 0
    while (this.#waiting === 0) {
      if (this.#error) throw this.#error
      if (this.#ended) return 0
      await new Promise<void>((wake) => {
        this.#wake = wake
        this.#send({ order: 'next', id: this.#id, consumed: this.#takeConsumed() })
      })
    }
    if (this.#error) throw this.#error
    return this.#waiting
  }

  #handOut(length: number): void {
    this.#handedOut = length
    this.#waiting -= length
  }

  #takeConsumed(): number {
    const consumed = this.#consumed
    this.#consumed = 0
    return consumed
  }

  #stretch(start: number, end: number): Arrival {
    return {
      length: end - start,
      subarray: (from, to) => this.#stretch(start + from, start + to),
      write: (file, position) => this.#write({ file, start, end, position }),
    }
  }

  /** Writes bytes of what was handed out last; settled by the thread alone, which may be about to write them. */
  #write(what: { file: number; start: number; end: number; position: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error) return reject(this.#error)
      this.#writes.push({ resolve, reject })
      this.#send({ order: 'write', id: this.#id, consumed: this.#takeConsumed(), ...what })
    })
  }

  #leave(keepConnection: boolean): void {
    if (!this.#ended && !this.#error) this.#send({ order: 'close', id: this.#id, keepConnection })
    this.#error ??= new Error('closed')
    this.#over()
  }

  #over(): void {
    this.#wake?.()
    if (this.#error) this.#reading?.reject(this.#error)
    if (this.#writes.length === 0) this.#forget()
  }
}

interface TransferredBodyOptions {
  id: number
  length: number
  send: (order: TransferOrder) => void
  forget: () => void
}

function revived({ name, message, code }: PlainError): Error {
  const error = new Error(message)
  error.name = name
  return code === undefined ? error : Object.assign(error, { code })
}

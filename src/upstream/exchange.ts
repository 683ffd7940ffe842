import type { Dispatcher } from 'undici'
import type { Arrival } from '../oci/registry.ts'
import { Body } from './body.ts'
import { promisedLength } from './incoming.js'

export interface Sent {
  method: 'GET' | 'HEAD' | 'POST'
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal
  /** The answer may be large: it comes in on the transfer thread, and knows no `signal`. */
  large?: boolean
}

export type Headers = Record<string, string | string[] | undefined>

export interface Received {
  status: number
  headers: Headers
  body: ReceivedBody
}

export interface ReceivedBody {
  /** What the headers promise, in bytes; Infinity where they promise nothing. */
  readonly length: number
  /** Fills the front of `into` with at least one byte and returns how many; 0 at the end. Rejects when it broke off. */
  read(into: Uint8Array): Promise<number>
  /** As in Blob; for bodies that come in on another thread. */
  arrival?(): Promise<Arrival | undefined>
  /** Breaks the transfer off, if it is not over; who reads is told. */
  destroy(): void
  /** Lets go of a body nobody wants; a short one is read so that the connection lives on. */
  drop(): void
}

/** Sends one request; resolves with the head of its answer. Leaner than undici's own `request`: a body is no stream. */
export function exchange(by: Dispatcher, url: URL, sent: Sent): Promise<Received> {
  const { method, headers, body = null, signal } = sent
  const asked = { origin: url.origin, path: url.pathname + url.search, method, headers, body }
  return new Promise((answered, refused) => by.dispatch(asked, new Receiver({ signal, answered, refused })))
}

interface ReceiverOptions {
  /** Breaks the exchange off, the body too. */
  signal: AbortSignal | undefined
  answered: (received: Received) => void
  /** Called with what came instead of an answer. */
  refused: (error: Error) => void
}

class Receiver implements Dispatcher.DispatchHandler {
  readonly #options: ReceiverOptions
  #abort = () => {}
  #body: Body | undefined

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { signal } = this.#options
    if (!signal) return
    this.#abort = () => controller.abort(signal.reason as Error)
    if (signal.aborted) this.#abort()
    else signal.addEventListener('abort', this.#abort)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // 1xx comes before the answer.
    if (status < 200) return
    this.#body = new Body(controller, promisedLength(headers))
    this.#options.answered({ status, headers, body: this.#body })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body!.arrived(chunk)
  }

  onResponseEnd(): void {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#body!.ended()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    if (this.#body) this.#body.failed(error)
    else this.#options.refused(error)
  }
}

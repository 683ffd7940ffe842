import type { DeliveryRecord, WebhookMetadata } from '../metadata/metadata.ts'
import type { ReportWebhook } from './events.ts'
import { signatureHeaders } from './message.ts'

export interface Hook {
  readonly name: string
  readonly url: string
  readonly secret: string
}

/** Sends a POST, follows no redirect, and resolves with the status; rejects when there is no answer, or `stop` is aborted. */
export type Post = (url: string, headers: Record<string, string>, body: string, stop: AbortSignal) => Promise<number>

export interface ReceiverOptions {
  hook: Hook
  metadata: WebhookMetadata
  post: Post
  report: ReportWebhook
  now: () => number
}

/** So many attempts run at once. */
const atOnce = 4
const firstPause = 5_000
const longestPause = 3_600_000
/** What could not be told for this long is told no more, in milliseconds. */
export const longestAge = 3 * 24 * 3_600_000
/** How often it is looked whether something is due, in milliseconds. */
const look = 1_000

/** One receiver, and the attempts to tell it what waits. Each event is tried by itself: one that fails holds up no other. */
export class Receiver {
  readonly #options: ReceiverOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  readonly #stopping = new AbortController()

  constructor(options: ReceiverOptions) {
    this.#options = options
  }

  /** Tries what is due. Call it when something was put; it looks for itself from time to time as well. */
  wake(): void {
    if (this.#stopping.signal.aborted || this.#running) return
    clearTimeout(this.#timer)
    this.#running = this.#tryDue()
      .catch((error: unknown) => this.#tell('failed', `what is due cannot be read: ${messageOf(error)}`))
      .finally(() => {
        this.#running = undefined
        if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.wake(), look).unref()
      })
  }

  /** Breaks off what is on its way: it is sent again after the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  async #tryDue(): Promise<void> {
    const { hook, metadata, now } = this.#options
    for (;;) {
      const due = await metadata.dueDeliveries(hook.name, now(), atOnce)
      if (due.length === 0 || this.#stopping.signal.aborted) return
      await Promise.all(due.map((delivery) => this.#attempt(delivery)))
    }
  }

  async #attempt(delivery: DeliveryRecord): Promise<void> {
    const { metadata, now } = this.#options
    const problem = await this.#send(delivery)
    if (problem === undefined) {
      await metadata.removeDelivery(delivery)
      return this.#tell('delivered')
    }
    if (this.#stopping.signal.aborted) return
    if (problem.final || now() - delivery.createdAt > longestAge) {
      await metadata.removeDelivery(delivery)
      return this.#tell('dropped', `event ${delivery.id} was given up: ${problem.message}`)
    }
    await metadata.postponeDelivery(delivery, now() + pauseAfter(delivery.attempts + 1))
    this.#tell('failed', problem.message)
  }

  async #send({ id, body }: DeliveryRecord): Promise<{ message: string; final: boolean } | undefined> {
    const { hook, post, now } = this.#options
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      ...signatureHeaders(hook.secret, id, body, now()),
    }
    try {
      const status = await post(hook.url, headers, body, this.#stopping.signal)
      if (status >= 200 && status < 300) return undefined
      // 410: the receiver wants no more of it.
      return { message: `the receiver answered ${status}`, final: status === 410 }
    } catch (error) {
      return { message: `the receiver did not answer: ${messageOf(error)}`, final: false }
    }
  }

  #tell(outcome: 'delivered' | 'failed' | 'dropped', message?: string): void {
    this.#options.report({
      type: 'webhook',
      hook: this.#options.hook.name,
      outcome,
      ...(message !== undefined && { message }),
    })
  }
}

/** Doubles up to an hour, and is spread, so that a receiver that comes back is not overrun. */
function pauseAfter(attempts: number): number {
  const pause = Math.min(longestPause, firstPause * 2 ** (attempts - 1))
  return Math.round(pause * (0.8 + 0.4 * Math.random()))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

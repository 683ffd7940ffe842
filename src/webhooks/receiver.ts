import type { AttemptRecord, DeliveryRecord, WebhookMetadata } from '../metadata/metadata.ts'
import type { ReportWebhook } from './events.ts'
import { readMessage, signatureHeaders } from './message.ts'

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
/** The receiver wants no more of it (410). */
const gone = 410

/** What came of sending a message. */
interface Answer {
  readonly status: number | undefined
  /** Undefined where it was taken. */
  readonly problem: string | undefined
}

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
    const { hook, metadata, now } = this.#options
    const answer = await this.#send(delivery)
    const { status, problem } = answer
    if (problem !== undefined && this.#stopping.signal.aborted) return
    const attempts = delivery.attempts + 1
    const over = problem === undefined || status === gone || now() - delivery.createdAt > longestAge
    const until = over ? undefined : now() + pauseAfter(attempts)
    const { type } = readMessage(delivery.body)
    const attempt = { event: delivery.id, type, at: now(), attempts, status, problem }
    await metadata.noteAttempt(hook.name, attempt, until)
    if (problem === undefined) this.#tell('delivered')
    else if (over) this.#tell('dropped', `event ${delivery.id} was given up: ${problem}`)
    else this.#tell('failed', problem)
  }

  /** Sends a message that is not kept, once; how it went is noted. */
  async sendOnce({ id, body }: Pick<DeliveryRecord, 'id' | 'body'>): Promise<AttemptRecord> {
    const { hook, metadata, now } = this.#options
    const answer = await this.#send({ id, body })
    const attempt = { event: id, type: readMessage(body).type, at: now(), attempts: 1, ...answer }
    await metadata.noteAttempt(hook.name, attempt, undefined)
    this.#tell(answer.problem === undefined ? 'delivered' : 'failed', answer.problem)
    return attempt
  }

  async #send({ id, body }: Pick<DeliveryRecord, 'id' | 'body'>): Promise<Answer> {
    const { hook, post, now } = this.#options
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      ...signatureHeaders(hook.secret, id, body, now()),
    }
    try {
      const status = await post(hook.url, headers, body, this.#stopping.signal)
      const taken = status >= 200 && status < 300
      return { status, problem: taken ? undefined : `the receiver answered ${status}` }
    } catch (error) {
      return { status: undefined, problem: `the receiver did not answer: ${messageOf(error)}` }
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

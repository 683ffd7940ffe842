import { randomUUID } from 'node:crypto'
import type { AttemptRecord } from '../metadata/metadata.ts'
import { namePattern } from '../oci/pattern.ts'
import { formatMessage, readMessage } from './message.ts'
import type { Notice, NoticeType } from './notice.ts'
import { Receiver, type Hook, type ReceiverOptions } from './receiver.ts'

export interface HookSettings extends Hook {
  /** None for all. */
  readonly events: readonly NoticeType[]
  /** Patterns of what events are about: REPOSITORY as clients name it here, or an upstream's name. */
  readonly match: readonly string[]
}

export interface HooksOptions extends Omit<ReceiverOptions, 'hook'> {
  hooks: readonly HookSettings[]
  source: string
}

/** A receiver with all that belongs to it. */
export interface WiredHook {
  readonly hook: HookSettings
  readonly wants: (notice: Notice) => boolean
  readonly receiver: Receiver
}

/** How telling one receiver goes. Its URL may hold a secret, so that only the host is told. */
export interface HookState {
  readonly name: string
  readonly host: string
  readonly events: readonly string[]
  readonly match: readonly string[]
  /** Deliveries that wait. */
  readonly waiting: number
  readonly last: AttemptRecord | undefined
  /** When it is told next of something that waits, in milliseconds since 1970. */
  readonly nextAt: number | undefined
}

export interface WaitingEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly createdAt: number
  readonly attempts: number
  readonly dueAt: number
  readonly problem: string | undefined
}

/** The receivers that are configured. */
export class Hooks {
  readonly #options: HooksOptions
  readonly all: readonly WiredHook[]

  constructor(options: HooksOptions) {
    this.#options = options
    this.all = options.hooks.map((hook) => ({
      hook,
      wants: wanting(hook),
      receiver: new Receiver({ ...options, hook }),
    }))
  }

  wanting(notice: Notice): readonly WiredHook[] {
    return this.all.filter(({ wants }) => wants(notice))
  }

  /** Deliveries that wait, for each receiver. */
  async waiting(): Promise<Record<string, number>> {
    const { metadata } = this.#options
    const counts = this.all.map(async ({ hook: { name } }) => [name, await metadata.countDeliveries(name)] as const)
    return Object.fromEntries(await Promise.all(counts))
  }

  list(): Promise<HookState[]> {
    const { metadata } = this.#options
    return Promise.all(
      this.all.map(async ({ hook: { name, url, events, match } }) => ({
        name,
        host: new URL(url).host,
        events,
        match,
        waiting: await metadata.countDeliveries(name),
        last: await metadata.lastAttempt(name),
        nextAt: await metadata.nextDelivery(name),
      })),
    )
  }

  /** What waits for a receiver, oldest first; undefined where there is none of this name. */
  async waitingFor(name: string, limit: number): Promise<WaitingEvent[] | undefined> {
    if (!this.#find(name)) return undefined
    const waiting = await this.#options.metadata.listDeliveries(name, limit)
    return waiting.map(({ id, body, createdAt, attempts, dueAt, problem }) => {
      return { id, ...readMessage(body), createdAt, attempts, dueAt, problem }
    })
  }

  /** Sends what waits now, all of it or one event; returns how many that are. */
  async sendAgain(name: string, id?: string): Promise<number> {
    const found = this.#find(name)
    if (!found) return 0
    const count = await this.#options.metadata.hurryDeliveries(name, this.#options.now(), id)
    found.receiver.wake()
    return count
  }

  /** Sends an event of nothing, once, whatever events the receiver is to be told of; undefined where there is none of this name. */
  async test(name: string): Promise<AttemptRecord | undefined> {
    const found = this.#find(name)
    if (!found) return undefined
    const { source, now } = this.#options
    const id = randomUUID()
    const notice: Notice = { type: 'test', subject: name, data: { hook: name } }
    return found.receiver.sendOnce({ id, body: formatMessage(notice, { id, time: now(), source }) })
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ receiver }) => receiver.stop()))
  }

  #find(name: string): WiredHook | undefined {
    return this.all.find(({ hook }) => hook.name === name)
  }
}

function wanting({ events, match }: HookSettings): (notice: Notice) => boolean {
  const fits = match.map(namePattern)
  return ({ type, subject }) =>
    (events.length === 0 || events.some((event) => event === type)) && fits.some((matches) => matches(subject))
}

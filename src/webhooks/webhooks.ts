// Telling other systems what happened here. An event is written down for each receiver that wants it before anybody is
// told, and stays until the receiver has taken it: a restart loses none, and a dead receiver holds up nothing.
import { randomUUID } from 'node:crypto'
import type { WebhookMetadata } from '../metadata/metadata.ts'
import { namePattern } from '../oci/pattern.ts'
import type { Event } from '../telemetry/telemetry.ts'
import type { ReportWebhook } from './events.ts'
import { formatMessage } from './message.ts'
import { noticeOf, type Notice, type NoticeType } from './notice.ts'
import { longestAge, Receiver, type Hook, type Post } from './receiver.ts'

export type { WebhookEvent } from './events.ts'

export interface HookSettings extends Hook {
  /** None for all. */
  readonly events: readonly NoticeType[]
  /** Patterns of what events are about: REPOSITORY as clients name it here, or an upstream's name. */
  readonly match: readonly string[]
}

export interface WebhooksOptions {
  hooks: readonly HookSettings[]
  metadata: WebhookMetadata
  post: Post
  /** What events name as their source: this registry's URL. */
  source: string
  report: ReportWebhook
  now: () => number
}

export interface Webhooks {
  /** Takes in whatever rooms tell; what a receiver wants to know is written down when this returns. */
  tell(event: Event): void
  /** Deliveries that wait, for each receiver. */
  waiting(): Promise<Record<string, number>>
  /** Begins to deliver. What is told before waits. */
  start(): void
  stop(): Promise<void>
}

/** A receiver that is away for long loses what is beyond this, and the log says so. */
const mostWaiting = 10_000

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { metadata, source, report, now } = options
  const hooks = options.hooks.map((hook) => ({
    hook,
    wants: wanting(hook),
    receiver: new Receiver({ ...options, hook }),
  }))
  const scarce = new Set<unknown>()
  let started = false

  /** What waits for a receiver that is no longer configured is kept for a while: it may be configured again. */
  async function forgetOthers(): Promise<void> {
    const names = hooks.map(({ hook }) => hook.name)
    for (const hook of await metadata.forgetDeliveries(names, now() - longestAge).catch(() => [])) {
      report({
        type: 'webhook',
        hook,
        outcome: 'dropped',
        message: 'it is no longer configured: its events were dropped',
      })
    }
  }

  async function put(hook: Hook, receiver: Receiver, message: { id: string; body: string }): Promise<void> {
    const problem = (text: string) => report({ type: 'webhook', hook: hook.name, outcome: 'dropped', message: text })
    try {
      const written = metadata.putDelivery({ ...message, hook: hook.name, createdAt: now() })
      if ((await metadata.countDeliveries(hook.name)) > mostWaiting) {
        await metadata.removeDelivery({ id: message.id, hook: hook.name })
        return problem(`an event was dropped: ${mostWaiting} wait already`)
      }
      await written
      if (started) receiver.wake()
    } catch (error) {
      problem(`an event could not be written down: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** Each answer tells what is left of a budget; receivers are told when it comes to its reserve, once. */
  function isNews(event: Event): boolean {
    if (event.type !== 'rate-limit') return true
    const key = `${event.upstream} ${event.account}`
    const news = event.scarce && !scarce.has(key)
    if (event.scarce) scarce.add(key)
    else scarce.delete(key)
    return news
  }

  return {
    tell(event) {
      const notice = noticeOf(event)
      if (!isNews(event) || !notice) return
      const id = randomUUID()
      const message = { id, body: formatMessage(notice, { id, time: now(), source }) }
      for (const { hook, wants, receiver } of hooks) if (wants(notice)) void put(hook, receiver, message)
    },
    async waiting() {
      const counts = hooks.map(async ({ hook }) => [hook.name, await metadata.countDeliveries(hook.name)] as const)
      return Object.fromEntries(await Promise.all(counts))
    },
    start() {
      started = true
      for (const { receiver } of hooks) receiver.wake()
      void forgetOthers()
    },
    async stop() {
      await Promise.all(hooks.map(({ receiver }) => receiver.stop()))
    },
  }
}

function wanting({ events, match }: HookSettings): (notice: Notice) => boolean {
  const fits = match.map(namePattern)
  return ({ type, subject }) =>
    (events.length === 0 || events.includes(type)) && fits.some((matches) => matches(subject))
}

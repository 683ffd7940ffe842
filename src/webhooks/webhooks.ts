// Telling other systems what happened here. An event is written down for each receiver that wants it before anybody is
// told, and stays until the receiver has taken it: a restart loses none, and a dead receiver holds up nothing. What happens
// to tags is written down with the tags, so that not even a kill comes in between.
import { randomUUID } from 'node:crypto'
import type { NotedChange, WebhookMetadata } from '../metadata/metadata.ts'
import type { Event } from '../telemetry/telemetry.ts'
import type { ReportWebhook } from './events.ts'
import { Hooks, type HookSettings, type WiredHook } from './hooks.ts'
import { formatMessage } from './message.ts'
import { noticeOf, noticeOfChange, type Notice } from './notice.ts'
import { Outbox } from './outbox.ts'
import { longestAge, type Post } from './receiver.ts'

export type { WebhookEvent } from './events.ts'
export type { Hooks } from './hooks.ts'

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
  /** The receivers, and how telling them goes. */
  readonly hooks: Hooks
  /** Begins to deliver. What is told before waits. */
  start(): void
  stop(): Promise<void>
}

/** A receiver that is away for long loses what is beyond this, and the log says so. */
const mostWaiting = 10_000

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { metadata, source, report, now } = options
  const hooks = new Hooks(options)
  const isAnybodyTold = hooks.all.length > 0
  const scarce = new Set<unknown>()
  const outbox = new Outbox({
    metadata,
    settle,
    failed: ({ message }) => hooks.all.forEach(({ hook }) => problem(hook.name, `events wait: ${message}`, 'failed')),
  })
  if (isAnybodyTold) metadata.noteChanges((change) => hooks.wanting(noticeOfChange(change)).length > 0)
  let started = false

  /** What waits for a receiver that is no longer configured is kept for a while: it may be configured again. */
  async function forgetOthers(): Promise<void> {
    const names = hooks.all.map(({ hook }) => hook.name)
    for (const hook of await metadata.forgetDeliveries(names, now() - longestAge).catch(() => [])) {
      problem(hook, 'it is no longer configured: its events were dropped')
    }
  }

  function problem(hook: string, message: string, outcome: 'dropped' | 'failed' = 'dropped'): void {
    report({ type: 'webhook', hook, outcome, message })
  }

  async function settle({ id, at, change }: NotedChange): Promise<void> {
    const notice = noticeOfChange(change)
    const wanting: WiredHook[] = []
    for (const each of hooks.wanting(notice)) {
      if ((await metadata.countDeliveries(each.hook.name)) < mostWaiting) wanting.push(each)
      else problem(each.hook.name, tooMany)
    }
    const body = formatMessage(notice, { id, time: at, source })
    const deliveries = wanting.map(({ hook }) => ({ id, hook: hook.name, body, createdAt: at }))
    await metadata.settleChange(id, deliveries)
    for (const { receiver } of wanting) receiver.wake()
  }

  async function put({ hook, receiver }: WiredHook, message: { id: string; body: string }): Promise<void> {
    try {
      const written = metadata.putDelivery({ ...message, hook: hook.name, createdAt: now() })
      if ((await metadata.countDeliveries(hook.name)) > mostWaiting) {
        await metadata.removeDelivery({ id: message.id, hook: hook.name })
        return problem(hook.name, tooMany)
      }
      await written
      if (started) receiver.wake()
    } catch (error) {
      problem(
        hook.name,
        `an event could not be written down: ${error instanceof Error ? error.message : String(error)}`,
      )
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

  function tellOf(notice: Notice): void {
    const wanting = hooks.wanting(notice)
    if (wanting.length === 0) return
    const id = randomUUID()
    const message = { id, body: formatMessage(notice, { id, time: now(), source }) }
    for (const each of wanting) void put(each, message)
  }

  return {
    tell(event) {
      if (!isAnybodyTold) return
      if (event.type === 'tag-pushed' || event.type === 'tag-deleted' || event.type === 'tag-moved') {
        if (started) outbox.wake()
      } else if (isNews(event)) {
        const notice = noticeOf(event)
        if (notice) tellOf(notice)
      }
    },
    waiting: () => hooks.waiting(),
    hooks,
    start() {
      started = true
      for (const { receiver } of hooks.all) receiver.wake()
      // What was noted before the last end, however it came, or by a process that delivers nothing.
      outbox.wake()
      void forgetOthers()
    },
    async stop() {
      await outbox.stop()
      await hooks.stop()
    },
  }
}

const tooMany = `an event was dropped: ${mostWaiting} wait already`

import { z } from 'zod'
import type { Admin } from './admin.ts'
import type { Routes } from './routes.ts'
import * as schema from './schemas.ts'

const name = z.string().meta({ description: 'of a webhook in the settings', examples: ['ci'] })

/** Receivers of webhooks, for administrators. */
export function webhookRoutes(routes: Routes, { webhooks }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/webhooks',
      summary: 'Receivers of webhooks, and how telling them goes',
      input: z.object({}),
      answer: z.array(schema.webhook).readonly(),
    },
    (visitor) => webhooks.list(visitor),
  )
  routes.add(
    {
      method: 'get',
      path: '/webhooks/waiting',
      summary: 'Events that a receiver is still to be told, the oldest first, at most 200',
      input: z.object({ name }),
      answer: z.array(schema.waitingEvent).readonly(),
    },
    async (visitor, { name }) => (await webhooks.get(visitor, name)).waiting,
  )
  routes.add(
    {
      method: 'post',
      path: '/webhooks/send',
      summary: 'Send what waits for a receiver now, all of it or one event; answers with how many events that are',
      input: z.object({ name, id: z.string().optional() }),
      answer: z.object({ events: z.number() }),
    },
    async (visitor, { name, id }) => ({ events: await webhooks.sendAgain(visitor, name, id) }),
  )
  routes.add(
    {
      method: 'post',
      path: '/webhooks/test',
      summary: 'Send a receiver an event berth.test, once; answers with how that went',
      input: z.object({ name }),
      answer: schema.attempt,
    },
    (visitor, { name }) => webhooks.test(visitor, name),
  )
}

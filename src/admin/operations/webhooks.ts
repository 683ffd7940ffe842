// Receivers of webhooks, for administrators.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../schemas.ts'

const name = z.string().meta({ description: 'of a webhook in the settings', examples: ['ci'] })

export const listWebhooks = operation({
  method: 'get',
  path: '/webhooks',
  summary: 'Receivers of webhooks, and how telling them goes',
  input: z.object({}),
  answer: z.array(schema.webhook).readonly(),
})

export const listWaiting = operation({
  method: 'get',
  path: '/webhooks/waiting',
  summary: 'Events that a receiver is still to be told, the oldest first, at most 200',
  input: z.object({ name }),
  answer: z.array(schema.waitingEvent).readonly(),
})

export const sendWaiting = operation({
  method: 'post',
  path: '/webhooks/send',
  summary: 'Send what waits for a receiver now, all of it or one event; answers with how many events that are',
  input: z.object({ name, id: z.string().optional() }),
  answer: z.object({ events: z.number() }),
})

export const testWebhook = operation({
  method: 'post',
  path: '/webhooks/test',
  summary: 'Send a receiver an event berth.test, once; answers with how that went',
  input: z.object({ name }),
  answer: schema.attempt,
})

import type { Admin } from './admin.ts'
import * as operations from './operations/webhooks.ts'
import type { Routes } from './routes.ts'

export function webhookRoutes(routes: Routes, { webhooks }: Admin): void {
  routes.add(operations.listWebhooks, (visitor) => webhooks.list(visitor))
  routes.add(operations.listWaiting, async (visitor, { name }) => (await webhooks.get(visitor, name)).waiting)
  routes.add(operations.sendWaiting, async (visitor, { name, id }) => ({
    events: await webhooks.sendAgain(visitor, name, id),
  }))
  routes.add(operations.testWebhook, (visitor, { name }) => webhooks.test(visitor, name))
}

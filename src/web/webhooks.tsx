import type { Admin, AdminContext } from '../admin/admin.ts'
import type { WebCall } from './call.ts'
import { doneText } from './done.ts'
import { query } from './links.ts'
import { WebhookPage, WebhooksPage } from './pages/webhooks.tsx'
import { unknownAction, type Rendered } from './respond.tsx'

export async function listWebhooks(call: WebCall, { webhooks }: Admin): Promise<Rendered> {
  return <WebhooksPage frame={call.frame} hooks={await webhooks.list(call.visitor)} />
}

export async function showWebhook(c: AdminContext, call: WebCall, { webhooks }: Admin): Promise<Rendered> {
  const { hook, waiting } = await webhooks.get(call.visitor, c.req.param('name') ?? '')
  return <WebhookPage frame={call.frame} hook={hook} waiting={waiting} done={doneText(call)} />
}

/** What the buttons of a receiver's page do. Answers with the page to see then. */
export async function tellWebhook(
  c: AdminContext,
  { visitor }: WebCall,
  { webhooks }: Admin,
  form: ReadonlyMap<string, string>,
): Promise<Response> {
  const name = c.req.param('name') ?? ''
  const to = (done?: string, amount?: number) => c.redirect(`/webhooks/${name}${query({ done, amount })}`, 303)
  switch (form.get('action')) {
    case 'test': {
      const { problem } = await webhooks.test(visitor, name)
      // What went wrong stands on the page itself.
      return to(problem === undefined ? 'tested' : undefined)
    }
    case 'send':
      return to('sent', await webhooks.sendAgain(visitor, name, form.get('id')))
    default:
      throw unknownAction()
  }
}

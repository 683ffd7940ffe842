import type { Admin, AdminContext } from '../admin/admin.ts'
import { RegistryError } from '../oci/errors.ts'
import type { WebCall } from './call.ts'
import { doneText } from './done.ts'
import { query } from './links.ts'
import { WarmRunPage } from './pages/warm-run.tsx'
import { WarmPage } from './pages/warm.tsx'
import { unknownAction, type Rendered } from './respond.tsx'

/** Tags of a pattern that is fetched by hand. */
const limit = 10

export async function showWarm(call: WebCall, { warm }: Admin): Promise<Rendered> {
  return <WarmPage frame={call.frame} view={await warm.view(call.visitor)} done={doneText(call)} />
}

export async function showWarmRun(c: AdminContext, call: WebCall, { warm }: Admin): Promise<Rendered> {
  const id = Number(c.req.param('id'))
  if (!Number.isSafeInteger(id)) throw new RegistryError('NAME_UNKNOWN', 'a run has a number')
  return <WarmRunPage frame={call.frame} run={await warm.run(call.visitor, id)} done={doneText(call)} />
}

/** What the buttons of these pages do. Answers with the page to see then. */
export async function fetchWarm(
  c: AdminContext,
  { visitor }: WebCall,
  { warm }: Admin,
  form: ReadonlyMap<string, string>,
): Promise<Response> {
  const to = (done: string) => c.redirect(`/warm${query({ done })}`, 303)
  const words = (key: string) => (form.get(key) ?? '').split(/[\s,]+(?![^{]*\})/).filter((word) => word !== '')
  switch (form.get('action')) {
    case 'list':
      await warm.fetchList(visitor, form.get('list') ?? '')
      return to('warming')
    case 'fetch': {
      const given = { references: words('references'), platforms: words('platforms') }
      const { id } = await warm.fetch(visitor, { ...given, limit, order: 'version' })
      return c.redirect(`/warm/${id}`, 303)
    }
    case 'stop':
      await warm.cancel(visitor, Number(form.get('run')))
      return to('stopped')
    default:
      throw unknownAction()
  }
}

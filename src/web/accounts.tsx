import type { Admin, AdminContext } from '../admin/admin.ts'
import type { WebCall } from './call.ts'
import { doneText } from './done.ts'
import { query } from './links.ts'
import { AccountPage } from './pages/account.tsx'
import { AuditPage } from './pages/audit.tsx'
import { AccountDetailsPage, AccountsPage } from './pages/accounts.tsx'
import { html, unknownAction, type Rendered } from './respond.tsx'

type Form = ReadonlyMap<string, string>

const day = 86_400_000

export async function ownAccount(call: WebCall, { accounts }: Admin, made?: string): Promise<Rendered> {
  const tokens = await accounts.tokens(call.visitor)
  const owned = await accounts.owned(call.visitor)
  const hasPassword = await accounts.hasPassword(call.visitor)
  const mine = { user: owned[0]!, tokens, owned, made, hasPassword }
  return <AccountPage frame={call.frame} {...mine} done={doneText(call)} />
}

/** What the buttons of one's own page do. A new token is shown at once, for it is nowhere else. */
export async function changeOwn(c: AdminContext, call: WebCall, admin: Admin, form: Form): Promise<Response> {
  const { visitor } = call
  const to = (done: string) => c.redirect(`/account${query({ done })}`, 303)
  switch (form.get('action')) {
    case 'create': {
      const scopes = [`${form.get('pattern') ?? ''}:${form.get('actions') ?? ''}`]
      const days = Number(form.get('days') ?? '')
      const order = { owner: form.get('owner') ?? '', name: (form.get('name') ?? '').slice(0, 100), scopes }
      const { token } = await admin.accounts.createToken(visitor, {
        ...order,
        lifetime: days > 0 ? days * day : undefined,
      })
      c.header('Cache-Control', 'no-store')
      return html(c, await ownAccount(call, admin, token), 200)
    }
    case 'revoke':
      await admin.accounts.revokeToken(visitor, form.get('id') ?? '')
      return to('revoked')
    case 'password':
      await admin.accounts.changePassword(visitor, { present: form.get('present') ?? '', next: form.get('next') ?? '' })
      return to('password')
    default:
      throw unknownAction()
  }
}

export async function showAudit(call: WebCall, admin: Admin): Promise<Rendered> {
  const filter = { user: call.text('user'), name: call.text('name'), action: call.text('action') }
  const before = Number(call.text('before'))
  const entries = await admin.audit.page(call.visitor, { ...filter, before: before > 0 ? before : undefined })
  return <AuditPage frame={call.frame} entries={entries} filter={filter} />
}

export async function listAccounts(call: WebCall, { accounts }: Admin): Promise<Rendered> {
  return <AccountsPage frame={call.frame} accounts={await accounts.list(call.visitor)} done={doneText(call)} />
}

export async function addAccount(c: AdminContext, call: WebCall, { accounts }: Admin, form: Form): Promise<Response> {
  const name = form.get('name') ?? ''
  if (form.get('action') === 'user') {
    const given = { password: form.get('password') ?? '', admin: form.get('admin') === 'yes' }
    await accounts.addUser(call.visitor, name, given)
  } else if (form.get('action') === 'organization') await accounts.addOrganization(call.visitor, name)
  else throw unknownAction()
  return c.redirect(`/accounts${query({ done: 'added' })}`, 303)
}

export async function showAccount(c: AdminContext, call: WebCall, { accounts }: Admin): Promise<Rendered> {
  const account = await accounts.get(call.visitor, c.req.param('name') ?? '')
  return <AccountDetailsPage frame={call.frame} account={account} done={doneText(call)} />
}

export async function changeAccount(
  c: AdminContext,
  call: WebCall,
  { accounts }: Admin,
  form: Form,
): Promise<Response> {
  const { visitor } = call
  const name = c.req.param('name') ?? ''
  const to = (path: string, done: string) => c.redirect(path + query({ done }), 303)
  switch (form.get('action')) {
    case 'member':
      await accounts.setMember(visitor, name, form.get('user') ?? '', roleIn(form))
      return to(`/accounts/${name}`, 'changed')
    case 'grant':
      await accounts.setGrant(visitor, form.get('name') ?? '', name, roleIn(form))
      return to(`/accounts/${name}`, 'changed')
    case 'revoke':
      await accounts.revokeToken(visitor, form.get('id') ?? '')
      return to(`/accounts/${name}`, 'revoked')
    case 'link':
      await accounts.link(visitor, name, linkIn(form))
      return to(`/accounts/${name}`, 'changed')
    case 'unlink':
      await accounts.unlink(visitor, name, linkIn(form))
      return to(`/accounts/${name}`, 'changed')
    case 'password':
      await accounts.setPassword(visitor, name, form.get('password') ?? '')
      return to(`/accounts/${name}`, 'password')
    case 'remove':
      await accounts.remove(visitor, name)
      return to('/accounts', 'removed')
    default:
      throw unknownAction()
  }
}

function linkIn(form: Form) {
  return { provider: form.get('provider') ?? '', subject: form.get('subject') ?? '' }
}

/** Undefined takes a role back. */
function roleIn(form: Form) {
  const role = form.get('role')
  return (['owner', 'writer', 'reader'] as const).find((known) => known === role)
}

import type { AccountDetails, AccountView } from '../../admin/admin.ts'
import { visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Ago, Chip, Notice } from '../parts.tsx'
import { TokenTable } from './account.tsx'

export interface AccountsProps {
  frame: Frame
  accounts: readonly AccountView[]
  done: string | undefined
}

/** For admins: who there is. */
export function AccountsPage({ frame, accounts, done }: AccountsProps) {
  return (
    <Page frame={frame} title="Accounts" administration="/accounts">
      <h1>Users and organizations</h1>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {accounts.length > 0 && (
        <ul class="repositories spaced">
          {accounts.map(({ name, kind, admin, createdAt }) => (
            <li>
              <a href={`/accounts/${name}`}>
                <strong>{name}</strong>
              </a>
              <span class="facts">
                {admin && <Chip tone="warn">admin</Chip>}
                <span>{kind}</span>
                <Ago time={createdAt} now={frame.now} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {accounts.length === 0 && <p class="faint">There are none but those of the settings.</p>}
      <Section id="add-user" title="Add a user">
        <form method="post" class="inline">
          <input type="hidden" name="token" value={frame.formToken} />
          <input type="hidden" name="action" value="user" />
          <label>
            Name <input name="name" required autocomplete="off" autocapitalize="none" />
          </label>
          <label>
            Password <input name="password" type="password" required minlength={8} autocomplete="new-password" />
          </label>
          <label>
            <input name="admin" type="checkbox" value="yes" /> admin
          </label>
          <button type="submit">Add user</button>
        </form>
      </Section>
      <Section id="add-organization" title="Add an organization">
        <form method="post" class="inline">
          <input type="hidden" name="token" value={frame.formToken} />
          <input type="hidden" name="action" value="organization" />
          <label>
            Name <input name="name" required autocomplete="off" autocapitalize="none" />
          </label>
          <button type="submit">Add organization</button>
        </form>
      </Section>
    </Page>
  )
}

export interface AccountDetailsProps {
  frame: Frame
  account: AccountDetails
  done: string | undefined
}

/** For admins: what somebody is, may and has. */
export function AccountDetailsPage({ frame, account, done }: AccountDetailsProps) {
  const { name, kind, admin, members, organizations, grants, tokens, links } = account
  const isUser = kind === 'user'
  return (
    <Page frame={frame} title={name}>
      <p class="crumb">
        <a href="/accounts">Accounts</a>
      </p>
      <div class="title">
        <h1>{name}</h1>
        <Chip>{kind}</Chip>
        {admin && <Chip tone="warn">admin</Chip>}
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {isUser ? (
        <Section id="organizations" title="Organizations">
          <Roles rows={organizations.map(({ organization, role }) => ({ of: organization, role }))} />
        </Section>
      ) : (
        <Section id="members" title="Members">
          <Roles rows={members.map(({ user, role }) => ({ of: user, role }))} />
          <RoleForm frame={frame} action="member" label="User" field="user" button="Set member" />
        </Section>
      )}
      <Section id="grants" title="Grants">
        <Roles rows={grants.map(({ name, role }) => ({ of: name, role }))} />
        <RoleForm frame={frame} action="grant" label="Repository or namespace" field="name" button="Set grant" />
      </Section>
      <Section id="tokens" title="Tokens">
        <TokenTable frame={frame} tokens={tokens} />
      </Section>
      {isUser && <Links frame={frame} links={links} />}
      {isUser && <NewPassword frame={frame} />}
      <Section id="remove" title="Remove">
        <p class="faint">With its tokens, memberships and grants. What was pushed stays.</p>
        <Action frame={frame} action="remove" label={`Remove ${name}`} danger />
      </Section>
    </Page>
  )
}

function Roles({ rows }: { rows: readonly { of: string; role: string }[] }) {
  if (rows.length === 0) return <p class="faint">There are none.</p>
  return (
    <ul class="pins">
      {rows.map(({ of, role }) => (
        <li>
          <strong>{of}</strong> <Chip>{role}</Chip>
        </li>
      ))}
    </ul>
  )
}

interface RoleFormProps {
  frame: Frame
  action: string
  label: string
  field: string
  button: string
}

function RoleForm({ frame, action, label, field, button }: RoleFormProps) {
  return (
    <form method="post" class="inline">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="action" value={action} />
      <label>
        {label} <input name={field} required autocomplete="off" autocapitalize="none" />
      </label>
      <label>
        Role
        <select name="role">
          <option value="reader">reader</option>
          <option value="writer">writer</option>
          <option value="owner">owner</option>
          <option value="">nothing any more</option>
        </select>
      </label>
      <button type="submit">{button}</button>
    </form>
  )
}

/** Shown where people can log in elsewhere, or could. */
function Links({ frame, links }: { frame: Frame; links: AccountDetails['links'] }) {
  const { providers } = frame
  if (providers.length + links.length === 0) return null
  return (
    <Section id="links" title="Logins elsewhere">
      <ul class="pins">
        {links.map(({ provider, subject }) => (
          <li>
            <Chip>{provider}</Chip> <code class="break">{visible(subject)}</code>{' '}
            <Action frame={frame} action="unlink" label="Unlink" values={{ provider, subject }} danger />
          </li>
        ))}
      </ul>
      {links.length === 0 && <p class="faint">There are none.</p>}
      {providers.length > 0 && (
        <form method="post" class="inline">
          <input type="hidden" name="token" value={frame.formToken} />
          <input type="hidden" name="action" value="link" />
          <label>
            Subject <input name="subject" required maxlength={255} autocomplete="off" autocapitalize="none" />
          </label>
          <label>
            at{' '}
            <select name="provider">
              {providers.map(({ name, label }) => (
                <option value={name}>{label}</option>
              ))}
            </select>
          </label>
          <button type="submit">Link</button>
        </form>
      )}
    </Section>
  )
}

function NewPassword({ frame }: { frame: Frame }) {
  return (
    <Section id="password" title="Password">
      <form method="post" class="inline">
        <input type="hidden" name="token" value={frame.formToken} />
        <input type="hidden" name="action" value="password" />
        <label>
          New password <input name="password" type="password" required minlength={8} autocomplete="new-password" />
        </label>
        <button type="submit">Set password</button>
      </form>
    </Section>
  )
}

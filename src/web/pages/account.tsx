import type { TokenView } from '../../admin/admin.ts'
import { date, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Ago, Copyable, Notice, Table, type Column } from '../parts.tsx'

export interface AccountProps {
  frame: Frame
  user: string
  tokens: readonly TokenView[]
  /** The names that the visitor may make tokens for. */
  owned: readonly string[]
  /** A token that was just made: it is shown this once. */
  made: string | undefined
  /** Who comes from a provider has none, and for docker a token. */
  hasPassword: boolean
  done: string | undefined
}

/** What people look after themselves: their tokens and their password. */
export function AccountPage({ frame, user, tokens, owned, made, hasPassword, done }: AccountProps) {
  return (
    <Page frame={frame} title="Your account">
      <h1>{user}</h1>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {made !== undefined && <Made host={frame.host} user={user} token={made} />}
      <Section id="tokens" title="Tokens">
        <p class="faint">
          For robots and scripts, in a password’s place. Each is good for what it was made for, and no more.
          {!hasPassword && ' docker login takes one, too: you have no password here.'}
        </p>
        <TokenTable frame={frame} tokens={tokens} />
        <NewToken frame={frame} owned={owned} />
      </Section>
      {hasPassword && <OwnPassword frame={frame} user={user} />}
    </Page>
  )
}

function OwnPassword({ frame, user }: { frame: Frame; user: string }) {
  return (
    <Section id="password" title="Password">
      <form method="post" class="stacked narrow">
        <input type="hidden" name="token" value={frame.formToken} />
        <input type="hidden" name="action" value="password" />
        <input type="hidden" name="username" value={user} autocomplete="username" />
        <label>
          Present password
          <input name="present" type="password" required autocomplete="current-password" />
        </label>
        <label>
          New password
          <input name="next" type="password" required minlength={8} autocomplete="new-password" />
        </label>
        <button type="submit">Change the password</button>
      </form>
    </Section>
  )
}

function Made({ host, user, token }: { host: string; user: string; token: string }) {
  return (
    <Notice tone="good">
      <p>This is the new token. It is shown this once:</p>
      <Copyable text={token} label="token" />
      <p>
        <code>
          docker login -u {user} {host}
        </code>{' '}
        takes it as the password.
      </p>
    </Notice>
  )
}

const tokenColumns: readonly Column[] = [
  ['For'],
  ['May'],
  ['Made', 'extra'],
  ['Expires'],
  [<span class="unseen">Revoke</span>],
]

export function TokenTable({ frame, tokens }: { frame: Frame; tokens: readonly TokenView[] }) {
  if (tokens.length === 0) return <p class="faint">There are none.</p>
  return (
    <Table columns={tokenColumns}>
      {tokens.map(({ id, owner, name, scopes, createdAt, expiresAt }) => (
        <tr>
          <th scope="row" class="break">
            {name === '' ? id : visible(name)} <span class="faint">{owner}</span>
          </th>
          <td class="break">
            {scopes.map((scope) => (
              <code>{visible(scope)} </code>
            ))}
          </td>
          <td class="extra">
            <Ago time={createdAt} now={frame.now} />
          </td>
          <td>{expiresAt === undefined ? 'never' : date(expiresAt).slice(0, 10)}</td>
          <td class="number">
            <Action frame={frame} action="revoke" label="Revoke" values={{ id }} danger />
          </td>
        </tr>
      ))}
    </Table>
  )
}

function NewToken({ frame, owned }: { frame: Frame; owned: readonly string[] }) {
  return (
    <form method="post" class="inline">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="action" value="create" />
      <label>
        For what <input name="name" placeholder="nightly builds" maxlength={100} />
      </label>
      <label>
        Of whom
        <select name="owner">
          {owned.map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        May
        <select name="actions">
          <option value="pull">pull</option>
          <option value="pull,push">pull and push</option>
          <option value="pull,push,delete">pull, push and delete</option>
        </select>
      </label>
      <label>
        Which repositories <input name="pattern" required value={`${owned[0]}/*`} />
      </label>
      <label>
        For how long
        <select name="days">
          <option value="30">30 days</option>
          <option value="90" selected>
            90 days
          </option>
          <option value="365">a year</option>
          <option value="">ever</option>
        </select>
      </label>
      <button type="submit" class="main">
        Create token
      </button>
    </form>
  )
}

import type { AuditPage as Entries } from '../../admin/admin.ts'
import { count, date, visible } from '../format.ts'
import { Page, type Frame } from '../layout.tsx'
import { query } from '../links.ts'
import { Notice, Table, type Column } from '../parts.tsx'

export interface AuditProps {
  frame: Frame
  entries: Entries
  filter: { user: string; name: string; action: string }
}

/** For admins: who did what, and from where. */
export function AuditPage({ frame, entries: { entries, next }, filter }: AuditProps) {
  return (
    <Page frame={frame} title="Audit log" administration="/audit">
      <h1>Audit log</h1>
      <form class="inline" action="/audit" role="search">
        <label>
          User <input name="user" value={filter.user} />
        </label>
        <label>
          Of <input name="name" value={filter.name} placeholder="team/app" />
        </label>
        <label>
          Action <input name="action" value={filter.action} placeholder="push" />
        </label>
        <button type="submit">Show</button>
      </form>
      {entries.length === 0 ? <Notice tone="info">Nothing of this is noted.</Notice> : <Entries entries={entries} />}
      {next !== undefined && (
        <nav class="pager" aria-label="Pages">
          <span />
          <a rel="next" href={`/audit${query({ ...filter, before: next })}`}>
            Older →
          </a>
        </nav>
      )}
    </Page>
  )
}

const columns: readonly Column[] = [['When'], ['Who'], ['From', 'extra'], ['What'], ['Of']]

function Entries({ entries }: { entries: Entries['entries'] }) {
  return (
    <Table class="spaced" columns={columns}>
      {entries.map(({ at, action, user, address, name, detail, count: times }) => (
        <tr>
          <th scope="row">{date(at)}</th>
          <td class="break">{user === undefined ? <span class="faint">nobody</span> : visible(user)}</td>
          <td class="extra">{address ?? '–'}</td>
          <td>
            {action}
            {times > 1 && <span class="faint"> {count(times)} times</span>}
          </td>
          <td class="break">
            {visible(name ?? '')} {detail !== undefined && <span class="faint">{visible(detail)}</span>}
          </td>
        </tr>
      ))}
    </Table>
  )
}

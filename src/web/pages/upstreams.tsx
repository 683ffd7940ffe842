import type { CacheView, UpstreamState } from '../../admin/admin.ts'
import { ago, bytes, count, counted, visible } from '../format.ts'
import { Section } from '../layout.tsx'
import { Chip, Table, type Column } from '../parts.tsx'

const columns: readonly Column[] = [
  ['Upstream'],
  ['State'],
  ['Pulls left'],
  ['Pulls served', 'number extra'],
  ['Spent', 'number extra'],
  ['Fetched', 'number extra'],
  ['On disk', 'number'],
]

/** How each upstream does. Those that were never asked are named, and that is all. */
export function Upstreams({ view, now }: { view: CacheView; now: number }) {
  const kept = new Map(view.kept.map(({ registry, bytes }) => [registry, bytes]))
  const isUsed = ({ name, down, budgets, refused }: UpstreamState) =>
    kept.has(name) || view.totalsOf.has(name) || down.size + budgets.size + refused.size > 0
  const used = view.upstreams.filter(isUsed)
  const unused = view.upstreams.filter((upstream) => !isUsed(upstream))
  return (
    <Section id="upstreams" title="Upstreams">
      {used.length > 0 && (
        <Table columns={columns}>
          {used.map((upstream) => (
            <UpstreamRow upstream={upstream} view={view} disk={kept.get(upstream.name) ?? 0} now={now} />
          ))}
        </Table>
      )}
      {unused.length > 0 && <p class="faint">Not asked yet: {unused.map(({ name }) => name).join(', ')}.</p>}
    </Section>
  )
}

function UpstreamRow(props: { upstream: UpstreamState; view: CacheView; disk: number; now: number }) {
  const { upstream, view, disk, now } = props
  const totals = view.totalsOf.get(upstream.name)
  return (
    <tr>
      <th scope="row">
        <span title={upstream.url}>{upstream.name}</span>
      </th>
      <td>
        <State upstream={upstream} now={now} />
      </td>
      <td>
        <Budgets upstream={upstream} />
      </td>
      <td class="number extra">{count(totals?.pullsServed ?? 0)}</td>
      <td class="number extra">{count(totals?.pullsSpent ?? 0)}</td>
      <td class="number extra">{bytes(totals?.receivedBytes ?? 0)}</td>
      <td class="number">{bytes(disk)}</td>
    </tr>
  )
}

function State({ upstream: { down, refused }, now }: { upstream: UpstreamState; now: number }) {
  if (down.size + refused.size === 0) return <Chip tone="good">answers</Chip>
  return (
    <>
      {[...down].map(([host, since]) => (
        <Chip tone="bad" title={`${host}: asked again after a pause`}>
          {host} down, {ago(since, now)}
        </Chip>
      ))}
      {[...refused].map(([account, { why, since }]) => (
        <Chip tone="bad" title={visible(why)}>
          login of {account} refused, {ago(since, now)}
        </Chip>
      ))}
    </>
  )
}

function Budgets({ upstream: { budgets } }: { upstream: UpstreamState }) {
  if (budgets.size === 0) return <span class="faint">no limit told</span>
  return (
    <>
      {[...budgets].map(([account, { remaining, limit, scarce }]) => (
        <span class="budget" title={`account ${account}`}>
          {limit === undefined ? counted(remaining, 'pull') : `${count(remaining)} of ${count(limit)}`}
          {scarce && (
            <Chip tone="warn" title="cached tags are served unchecked, to save what is left">
              saving
            </Chip>
          )}
        </span>
      ))}
    </>
  )
}

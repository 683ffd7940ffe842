import type { WarmListState, WarmRunState, WarmView } from '../../admin/admin.ts'
import { bytes, count, counted, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Ago, Chip, Notice, type Tone, Table } from '../parts.tsx'

export interface WarmProps {
  frame: Frame
  view: WarmView
  done: string | undefined
}

/** For admins: what is always to be here, and whether it is. */
export function WarmPage({ frame, view: { lists, byHand }, done }: WarmProps) {
  return (
    <Page frame={frame} title="Warm lists" administration="/warm">
      <h1>Warm lists</h1>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {lists.length === 0 && (
        <Notice tone="info">
          Nothing is fetched before somebody pulls it. What is always to be here stands in the settings, under{' '}
          <code>warm</code>.
        </Notice>
      )}
      {lists.map((list) => (
        <List frame={frame} list={list} />
      ))}
      <Section id="by-hand" title="Fetch by hand">
        <form method="post" class="inline">
          <input type="hidden" name="token" value={frame.formToken} />
          <input type="hidden" name="action" value="fetch" />
          <label>
            Images{' '}
            <input name="references" required maxlength={5000} size={40} placeholder="docker.io/library/node:22" />
          </label>
          <label>
            Platforms <input name="platforms" maxlength={500} size={14} placeholder="all" />
          </label>
          <button type="submit">Fetch now</button>
        </form>
        {byHand.length > 0 && <ByHand runs={byHand} now={frame.now} />}
      </Section>
    </Page>
  )
}

function List({ frame, list }: { frame: Frame; list: WarmListState }) {
  const { name, references, limit, order, platforms, schedule, nextAt, run } = list
  const isRunning = run && run.endedAt === undefined
  return (
    <Section
      id={`list-${name}`}
      title={name}
      aside={
        isRunning ? (
          <Action frame={frame} action="stop" label="Stop" values={{ run: String(run.id) }} danger />
        ) : (
          <Action frame={frame} action="list" label="Fetch now" values={{ list: name }} />
        )
      }
    >
      <p class="facts">
        {references.map((reference) => (
          <code>{reference}</code>
        ))}
      </p>
      <p class="facts">
        <span>{platforms.length === 0 ? 'platforms of the upstream’s settings' : platforms.join(', ')}</span>
        {references.some((reference) => reference.includes('*')) && (
          <span>
            {counted(limit, 'tag')} of a pattern, {order === 'version' ? 'highest version' : 'most pulled here'} first
          </span>
        )}
        {schedule === undefined ? (
          <span>by hand</span>
        ) : (
          <span>
            <code>{schedule}</code> UTC, next <Ago time={nextAt} now={frame.now} />
          </span>
        )}
      </p>
      {run ? (
        <>
          <Progress run={run} now={frame.now} />
          <p>
            <a href={`/warm/${run.id}`}>Each reference of {isRunning ? 'this' : 'the last'} run</a>
          </p>
        </>
      ) : (
        <p class="faint">Never fetched yet.</p>
      )}
    </Section>
  )
}

const tones: Record<string, Tone> = { ok: 'good', failed: 'bad', spared: 'warn' }
const words: Record<string, string> = { ok: 'warm', failed: 'not all of it is here', spared: 'pulls spared' }

/** How far a run is, or how it went; kept up to date by the script while it goes on. It holds nothing to click. */
export function Progress({ run, now }: { run: WarmRunState; now: number }) {
  const { id, references, outcome, startedAt, endedAt } = run
  const isDone = (reference: (typeof references)[number]) => reference.at !== undefined
  const done = references.filter(isDone).length
  const wanting = references.filter((reference) => isDone(reference) && reference.outcome !== 'ok')
  const isRunning = endedAt === undefined
  return (
    <div id={`run-${id}`} class="run" {...(isRunning && { 'data-follow': '' })}>
      <p class="facts">
        <Chip tone={isRunning ? 'plain' : (tones[outcome ?? ''] ?? 'plain')}>
          {isRunning ? 'being fetched' : (words[outcome ?? ''] ?? 'stopped')}
        </Chip>
        <span>
          {count(done)} of {counted(references.length, 'reference')}
        </span>
        <span>{bytes(run.bytes)} fetched</span>
        <span>
          {isRunning ? 'since' : 'ended'} <Ago time={endedAt ?? startedAt} now={now} />
        </span>
      </p>
      {isRunning && <progress max={Math.max(1, references.length)} value={done} aria-label={`Progress of run ${id}`} />}
      {wanting.length > 0 && (
        <ul class="problems">
          {wanting.slice(0, 5).map(({ reference, message }) => (
            <li>
              <span>{visible(reference)}</span>
              <span class="faint">{visible(message ?? '')}</span>
            </li>
          ))}
          {wanting.length > 5 && <li class="faint">and {count(wanting.length - 5)} more</li>}
        </ul>
      )}
    </div>
  )
}

function ByHand({ runs, now }: { runs: readonly WarmRunState[]; now: number }) {
  return (
    <Table class="spaced" columns={[['Images'], ['How it went'], ['Fetched', 'number extra'], ['Begun', 'extra']]}>
      {runs.map(({ id, order, outcome, startedAt, endedAt, bytes: fetched }) => (
        <tr>
          <th scope="row" class="break">
            <a href={`/warm/${id}`}>{visible(order.references.join(' '))}</a>
          </th>
          <td>
            <Chip tone={tones[outcome ?? ''] ?? 'plain'}>
              {endedAt === undefined ? 'being fetched' : (words[outcome ?? ''] ?? 'stopped')}
            </Chip>
          </td>
          <td class="number extra">{bytes(fetched)}</td>
          <td class="extra">
            <Ago time={startedAt} now={now} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

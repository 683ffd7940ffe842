import type { WarmRunState } from '../../admin/admin.ts'
import { bytes, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Ago, Chip, Notice, type Tone, Table } from '../parts.tsx'
import { Progress } from './warm.tsx'

export interface WarmRunProps {
  frame: Frame
  run: WarmRunState
  done: string | undefined
}

/** What became of each reference of a run. */
export function WarmRunPage({ frame, run, done }: WarmRunProps) {
  const title = run.list === undefined ? 'Fetched by hand' : `Warm list ${run.list}`
  return (
    <Page frame={frame} title={title} administration="/warm">
      <div class="heading">
        <h1>{title}</h1>
        {run.endedAt === undefined && (
          <Action frame={frame} action="stop" label="Stop" values={{ run: String(run.id) }} danger />
        )}
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      <Progress run={run} now={frame.now} />
      <Section id="references" title="Images">
        <div id="references-of-run" {...(run.endedAt === undefined && { 'data-follow': '' })}>
          <References run={run} now={frame.now} />
        </div>
      </Section>
    </Page>
  )
}

const tones: Record<string, Tone> = { ok: 'good', failed: 'bad', spared: 'warn' }
const words = { ok: 'warm', failed: 'failed', spared: 'pulls spared', waiting: 'waiting', running: 'being fetched' }

function References({ run: { references }, now }: { run: WarmRunState; now: number }) {
  return (
    <Table columns={[['Image'], ['How it went'], ['Fetched', 'number'], ['Done', 'extra']]}>
      {references.map(({ reference, outcome, message, bytes: fetched, at }) => (
        <tr>
          <th scope="row" class="break">
            {visible(reference)}
          </th>
          <td class="break">
            <Chip tone={tones[outcome] ?? 'plain'}>{words[outcome]}</Chip>
            {message !== undefined && <span class="faint"> {visible(message)}</span>}
          </td>
          <td class="number">{bytes(fetched)}</td>
          <td class="extra">
            <Ago time={at} now={now} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

import type { HookState, WaitingEvent } from '../../admin/admin.ts'
import { count, counted, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { Action, Ago, Chip, Figure, Notice, Table } from '../parts.tsx'

/** For admins: who is told what happens here, and how that goes. */
export function WebhooksPage({ frame, hooks }: { frame: Frame; hooks: readonly HookState[] }) {
  return (
    <Page frame={frame} title="Webhooks" administration="/webhooks">
      <h1>Webhooks</h1>
      {hooks.length === 0 ? (
        <Notice tone="info">
          Nobody is told what happens here. Receivers stand in the settings, under <code>webhooks</code>.
        </Notice>
      ) : (
        <Table class="spaced" columns={[['Receiver'], ['Events', 'extra'], ['Last attempt'], ['Waiting', 'number']]}>
          {hooks.map((hook) => (
            <tr>
              <th scope="row" class="break">
                <a href={`/webhooks/${hook.name}`}>{hook.name}</a>
                <div class="faint">{hook.host}</div>
              </th>
              <td class="extra">{hook.events.length === 0 ? 'all' : hook.events.join(', ')}</td>
              <td>
                <LastAttempt hook={hook} now={frame.now} />
              </td>
              <td class="number">{count(hook.waiting)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Page>
  )
}

function LastAttempt({ hook: { last }, now }: { hook: HookState; now: number }) {
  if (!last) return <span class="faint">none yet</span>
  return (
    <>
      {last.problem === undefined ? (
        <Chip tone="good">taken, {last.status}</Chip>
      ) : (
        <Chip tone="bad">{last.status ?? 'no answer'}</Chip>
      )}{' '}
      <Ago time={last.at} now={now} />
    </>
  )
}

export interface WebhookProps {
  frame: Frame
  hook: HookState
  waiting: readonly WaitingEvent[]
  done: string | undefined
}

/** One receiver, and what it is still to be told. */
export function WebhookPage({ frame, hook, waiting, done }: WebhookProps) {
  const { name, last, nextAt } = hook
  return (
    <Page frame={frame} title={`Webhook ${name}`} administration="/webhooks">
      <div class="heading">
        <h1>{name}</h1>
        <Action frame={frame} action="test" label="Send a test event" />
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {last?.problem !== undefined && (
        <Notice tone="bad">
          {visible(last.problem)} ({last.type}, {last.attempts === 1 ? 'first attempt' : `attempt ${last.attempts}`})
        </Notice>
      )}
      <dl class="figures">
        <Figure label="Sent to">{hook.host}</Figure>
        <Figure label="Events">{hook.events.length === 0 ? 'all' : hook.events.join(', ')}</Figure>
        <Figure label="Of">
          {hook.match.map((pattern) => (
            <>
              <code>{pattern}</code>{' '}
            </>
          ))}
        </Figure>
        <Figure label="Last attempt">
          <LastAttempt hook={hook} now={frame.now} />
        </Figure>
        <Figure label="Next">
          <Ago time={nextAt} now={frame.now} />
        </Figure>
      </dl>
      <Section
        id="waiting"
        title={hook.waiting === 0 ? 'Nothing waits' : `${counted(hook.waiting, 'event')} waiting`}
        aside={hook.waiting > 0 && <Action frame={frame} action="send" label="Send all again now" />}
      >
        {waiting.length > 0 && <Waiting frame={frame} waiting={waiting} />}
        {waiting.length < hook.waiting && <p class="faint">The oldest {count(waiting.length)} are shown.</p>}
      </Section>
    </Page>
  )
}

function Waiting({ frame, waiting }: { frame: Frame; waiting: readonly WaitingEvent[] }) {
  return (
    <Table
      columns={[['Event'], ['Happened', 'extra'], ['Tried'], ['Next', 'extra'], [<span class="unseen">Action</span>]]}
    >
      {waiting.map(({ id, type, subject, createdAt, attempts, dueAt, problem }) => (
        <tr>
          <th scope="row" class="break">
            {visible(type)} <span class="faint">{visible(subject)}</span>
          </th>
          <td class="extra">
            <Ago time={createdAt} now={frame.now} />
          </td>
          <td class="break">
            {counted(attempts, 'time')}
            {problem !== undefined && <span class="faint">: {visible(problem)}</span>}
          </td>
          <td class="extra">
            <Ago time={dueAt} now={frame.now} />
          </td>
          <td>
            <Action frame={frame} action="send" label="Send now" values={{ id }} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

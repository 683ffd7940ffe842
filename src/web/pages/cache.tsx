import type { PropsWithChildren } from 'hono/jsx'
import type { CacheView, FillView, Totals, Window } from '../../admin/admin.ts'
import type { FigureName } from '../../metadata/metadata.ts'
import { bytes, count, percent, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { repositoryPath } from '../links.ts'
import { Ago, Figure, Notice } from '../parts.tsx'
import { Plot } from '../plot.tsx'
import { Evictions, Pins, TagPins } from './disk.tsx'
import { Bar } from './layers.tsx'
import { Upstreams } from './upstreams.tsx'

export interface CacheProps {
  frame: Frame
  view: CacheView
  /** The step of the plots, in milliseconds. */
  step: number
  /** What an action did. */
  done: string | undefined
}

const windowNames: Record<Window, string> = { day: 'Last 24 hours', week: 'Last 7 days', month: 'Last 30 days' }

/** For operators: what the cache saves, how its upstreams do, what is on the disk and what goes next. */
export function CachePage({ frame, view, step, done }: CacheProps) {
  return (
    <Page frame={frame} title="Cache" administration="/cache">
      <div class="heading">
        <h1>Cache</h1>
        <nav class="sort" aria-label="Time">
          {Object.entries(windowNames).map(([window, name]) => (
            <a href={`/cache?window=${window}`} aria-current={window === view.window ? 'true' : undefined}>
              {name}
            </a>
          ))}
        </nav>
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      <Savings totals={view.totals} view={view} />
      <Plots view={view} now={frame.now} step={step} />
      <Fills fills={view.fills} />
      <Upstreams view={view} now={frame.now} />
      <Problems view={view} now={frame.now} />
      <Evictions frame={frame} view={view} />
      <Pins frame={frame} view={view} />
      <TagPins frame={frame} view={view} />
      <Section id="hosted" title="Hosted here">
        <p>
          <a href="/cache/collection">What a collection would remove</a> of what was pushed and nothing reaches any
          more.
        </p>
      </Section>
    </Page>
  )
}

function Savings({ totals, view: { storage } }: { totals: Totals; view: CacheView }) {
  const { hits, misses, revalidated, stale, servedBytes, receivedBytes, pullsServed, pullsSpent } = totals
  const lookups = hits + misses + revalidated + stale
  return (
    <dl class="tiles">
      <Tile label="Hit rate" note={`of ${count(lookups)} lookups`}>
        {percent(lookups - misses, lookups)}
      </Tile>
      <Tile label="Pulls saved" note={`${count(pullsServed)} served, ${count(pullsSpent)} spent`}>
        {count(Math.max(0, pullsServed - pullsSpent))}
      </Tile>
      <Tile label="Bytes saved" note={`${bytes(servedBytes)} served, ${bytes(receivedBytes)} fetched`}>
        {bytes(Math.max(0, servedBytes - receivedBytes))}
      </Tile>
      <Tile label="Version checks" note="free of charge, answered unchanged">
        {count(revalidated)}
      </Tile>
      <Tile label="On disk" note={`of ${bytes(storage.maxSize)}; ${bytes(storage.free)} free on the disk`}>
        {bytes(storage.bytes)}
        <Bar share={storage.bytes / storage.maxSize} />
      </Tile>
      {stale > 0 && (
        <Tile label="Served stale" note="while an upstream could not be asked">
          {count(stale)}
        </Tile>
      )}
    </dl>
  )
}

function Tile({ label, note, children }: PropsWithChildren<{ label: string; note: string }>) {
  return (
    <Figure label={label}>
      <span class="large">{children}</span>
      <span class="note">{note}</span>
    </Figure>
  )
}

function Plots({ view, now, step }: { view: CacheView; now: number; step: number }) {
  const of = (...figures: FigureName[]) =>
    view.spans.map(({ beganAt, values }) => ({
      at: beganAt,
      value: figures.reduce((sum, figure) => sum + (values[figure] ?? 0), 0),
    }))
  const common = { from: view.since, to: now, step }
  const lookups = of('hits', 'misses', 'revalidated', 'stale')
  return (
    <div class="plots">
      <Plot
        {...common}
        title="Bytes"
        unit="bytes"
        series={[
          { label: 'served', tone: 'whole', values: of('servedBytes') },
          { label: 'fetched', tone: 'part', values: of('receivedBytes') },
        ]}
      />
      <Plot
        {...common}
        title="Pulls"
        unit="count"
        series={[
          { label: 'served', tone: 'whole', values: of('pullsServed') },
          { label: 'spent', tone: 'part', values: of('pullsSpent') },
        ]}
      />
      <Plot
        {...common}
        title="Lookups"
        unit="count"
        series={[
          { label: 'all', tone: 'whole', values: lookups },
          { label: 'missed', tone: 'part', values: of('misses') },
        ]}
      />
    </div>
  )
}

/** Filled in and kept up to date by the script, from /cache/events. */
function Fills({ fills }: { fills: readonly FillView[] }) {
  return (
    <Section id="fills" title="Being fetched now">
      <ul class="fills" data-live="/cache/events" aria-live="off">
        {fills.map(({ digest, name, upstream, size, present }) => (
          <li data-digest={digest}>
            <span class="of">{name === undefined ? upstream : <a href={repositoryPath(name)}>{name}</a>}</span>
            <progress
              max={size ?? 1}
              value={size === undefined ? 0 : present}
              aria-label={`Progress of ${digest.slice(7, 19)}`}
            />
            <span class="amount">
              {bytes(present)} of {size === undefined ? '?' : bytes(size)}
            </span>
          </li>
        ))}
      </ul>
      <p class="faint none" hidden={fills.length > 0}>
        Nothing: all that was asked for is here.
      </p>
    </Section>
  )
}

function Problems({ view: { problems }, now }: { view: CacheView; now: number }) {
  return (
    <Section id="problems" title="Went wrong lately">
      {problems.length === 0 ? (
        <p class="faint">Nothing since the server started.</p>
      ) : (
        <ul class="problems">
          {problems.slice(0, 15).map(({ at, upstream, message, times }) => (
            <li>
              <span class="faint">
                <Ago time={at} now={now} />
                {upstream !== '' && <> · {upstream}</>}
                {times > 1 && <> · {count(times)} times</>}
              </span>
              <span>{visible(message)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

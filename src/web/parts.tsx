import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Digest } from '../oci/digest.ts'
import { ago, date, shortDigest } from './format.ts'
import type { Frame } from './layout.tsx'

/** How long ago, with the exact time for who points at it. */
export function Ago({ time, now, none = '–' }: { time: number | undefined; now: number; none?: string }) {
  if (time === undefined) return <span class="faint">{none}</span>
  return (
    <time datetime={new Date(time).toISOString()} title={date(time)}>
      {ago(time, now)}
    </time>
  )
}

export function ShortDigest({ digest, href }: { digest: Digest; href?: string }) {
  const code = <code title={digest}>{shortDigest(digest)}</code>
  return href === undefined ? code : <a href={href}>{code}</a>
}

/** A command or digest that a button copies; without scripts it is a field that selects as a whole. */
export function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <div class="copyable">
      <code tabindex={0}>{text}</code>
      <button type="button" class="copy" data-copy={text} aria-label={`Copy ${label}`} hidden>
        Copy
      </button>
    </div>
  )
}

export type Tone = 'plain' | 'good' | 'warn' | 'bad'

export function Chip({
  tone = 'plain',
  title,
  children,
}: PropsWithChildren<{ tone?: Tone; title?: string | undefined }>) {
  return (
    <span class={`chip ${tone}`} title={title}>
      {children}
    </span>
  )
}

/** A figure with what it is of. */
export function Figure({ label, children }: PropsWithChildren<{ label: string }>) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Something the reader should know before the rest. */
export function Notice({ tone, children }: PropsWithChildren<{ tone: 'info' | 'warn' | 'bad' | 'good' }>) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  )
}

interface PagerProps {
  page: number
  more: boolean
  link: (page: number) => string
  /** How many pages there are, where that is known. */
  of?: number
}

/** Links to the pages before and behind this one. */
export function Pager({ page, more, link, of }: PagerProps) {
  if (page === 1 && !more) return null
  return (
    <nav class="pager" aria-label="Pages">
      {page > 1 ? (
        <a rel="prev" href={link(page - 1)}>
          ← Previous
        </a>
      ) : (
        <span />
      )}
      <span>
        Page {page}
        {of !== undefined && ` of ${of}`}
      </span>
      {more ? (
        <a rel="next" href={link(page + 1)}>
          Next →
        </a>
      ) : (
        <span />
      )}
    </nav>
  )
}

interface ActionProps {
  frame: Frame
  /** What it does, for the page that takes it. */
  action: string
  label: string
  values?: Readonly<Record<string, string>>
  danger?: boolean
  /** What it does, in full, where there are several of the same label. */
  title?: string
}

/** A button that does something: a form, for it must work without scripts. */
export function Action({ frame, action, label, values = {}, danger, title }: ActionProps) {
  return (
    <form method="post" class="action">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="action" value={action} />
      {Object.entries(values).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class={danger ? 'danger' : undefined} aria-label={title} title={title}>
        {label}
      </button>
    </form>
  )
}

/** What stands above a column, and its class: `number` for figures, `extra` for what a phone has no room for. */
export type Column = readonly [label: Child, look?: string]

/** A table with its head; the rows are its children. */
export function Table(props: PropsWithChildren<{ columns: readonly Column[]; class?: string }>) {
  return (
    <table class={props.class}>
      <thead>
        <tr>
          {props.columns.map(([label, look]) => (
            <th scope="col" class={look}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  )
}

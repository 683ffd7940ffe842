import { sentence } from '../format.ts'
import { Page, type Frame } from '../layout.tsx'
import { Copyable } from '../parts.tsx'

export interface ErrorProps {
  frame: Frame
  title: string
  message: string
  /** What would bring here what was asked for. */
  command?: string | undefined
}

export function ErrorPage({ frame, title, message, command }: ErrorProps) {
  return (
    <Page frame={frame} title={title}>
      <div class="empty">
        <h1>{title}</h1>
        <p>{sentence(message)}</p>
        {command !== undefined && <Copyable text={command} label="pull command" />}
        <p>
          <a href="/">Back to the start</a>
        </p>
      </div>
    </Page>
  )
}

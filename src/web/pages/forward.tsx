import { visible } from '../format.ts'
import { Page, type Frame } from '../layout.tsx'

/** What is seen for a moment on the way to another server, or longer where a browser does not go there by itself. */
export function ForwardPage({ frame, title, url }: { frame: Frame; title: string; url: string }) {
  return (
    <Page frame={frame} title={title}>
      <div class="empty">
        <h1>{visible(title)}</h1>
        <p>
          <a href={url} rel="noreferrer">
            Go on to {new URL(url).host}
          </a>
        </p>
      </div>
    </Page>
  )
}

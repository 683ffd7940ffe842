import { raw } from 'hono/html'
import { largestReadme, type Description } from '../../admin/admin.ts'
import { bytes, visible } from '../format.ts'
import { Section } from '../layout.tsx'
import { Ago, Notice } from '../parts.tsx'

/** A text in Markdown, and what was made of it: undefined where that took too long. */
export interface RenderedReadme {
  readonly text: string
  readonly html: string | undefined
}

interface ReadmeProps {
  about: Description
  readme: RenderedReadme | undefined
  now: number
}

/** What a repository is at length, with where that comes from. */
export function ReadmeSection({ about, readme, now }: ReadmeProps) {
  if (!readme && about.leftOut === undefined) return null
  return (
    <Section id="readme" title="README">
      {about.leftOut !== undefined && (
        <Notice tone="info">
          The README of {about.tag} has {bytes(about.leftOut)}: those of more than {bytes(largestReadme)} are not shown.
        </Notice>
      )}
      {readme && <Markdown readme={readme} />}
      {readme && <Origin about={about} now={now} />}
    </Section>
  )
}

/** What pushes change of it, and what they do not. */
export function Origin({ about, now }: { about: Description; now: number }) {
  if (about.readmeFrom !== 'here' && about.shortFrom !== 'here') {
    return <p class="origin">From the image tagged {about.tag}: a push of it may bring another one.</p>
  }
  const what =
    about.readmeFrom !== 'here' ? 'The short description' : about.shortFrom === 'here' ? 'All of this' : 'The README'
  return (
    <p class="origin">
      {what} was written here{about.writtenBy !== undefined && ` by ${visible(about.writtenBy)}`},{' '}
      <Ago time={about.writtenAt} now={now} />. Pushes do not change it.
    </p>
  )
}

export function Markdown({ readme: { text, html } }: { readme: RenderedReadme }) {
  if (html !== undefined) {
    return (
      <div class="markdown" dir="auto">
        {raw(html)}
      </div>
    )
  }
  return (
    <>
      <Notice tone="info">This takes too long to be laid out, and is shown as it was written.</Notice>
      <pre class="source" tabindex={0}>
        {visible(text, Infinity)}
      </pre>
    </>
  )
}

import { longestShort, type Description } from '../../admin/admin.ts'
import type { RepositoryName } from '../../oci/reference.ts'
import { sentence, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { repositoryPath } from '../links.ts'
import { Notice } from '../parts.tsx'
import { Markdown, type RenderedReadme } from './readme.tsx'

export interface DescribeProps {
  frame: Frame
  name: RepositoryName
  /** What stands in the fields. */
  fields: { short: string; readme: string; version: string }
  /** The tag whose image fills what is left empty. */
  tag: string | undefined
  preview?: { short: string; readme: RenderedReadme }
  /** Why it was not saved. */
  problem?: string
  /** What somebody else has saved meanwhile. */
  meanwhile?: Description
}

/** Where a hosted repository is described by those who push to it. */
export function DescribePage({ frame, name, fields, tag, preview, problem, meanwhile }: DescribeProps) {
  return (
    <Page frame={frame} title={`Describe ${name}`}>
      <p class="crumb">
        <a href={repositoryPath(name)}>{name}</a>
      </p>
      <h1>Describe {name}</h1>
      <p class="faint">
        What is written here stays whatever is pushed. A field that is left empty shows what the image
        {tag !== undefined && ` tagged ${tag}`} says of itself.
      </p>
      {problem !== undefined && <Notice tone="bad">{sentence(problem)}</Notice>}
      <form method="post" action={repositoryPath(name)} enctype="multipart/form-data" class="stacked describe">
        <input type="hidden" name="token" value={frame.formToken} />
        <input type="hidden" name="version" value={fields.version} />
        <label>
          In one line
          <input name="short" value={fields.short} maxlength={longestShort} autocomplete="off" />
        </label>
        <label>
          README, in Markdown
          <textarea name="readme" rows={18} spellcheck>
            {fields.readme}
          </textarea>
        </label>
        <div class="buttons">
          <button type="submit" name="action" value="describe" class="main">
            Save
          </button>
          <button type="submit" name="action" value="preview" formaction={`${repositoryPath(name)}#preview`}>
            Preview
          </button>
          <a href={repositoryPath(name)}>Cancel</a>
        </div>
      </form>
      {preview && <Preview {...preview} />}
      {meanwhile && <Meanwhile about={meanwhile} />}
    </Page>
  )
}

function Preview({ short, readme }: { short: string; readme: RenderedReadme }) {
  return (
    <Section id="preview" title="Preview">
      {short !== '' && <p class="description">{visible(short)}</p>}
      <Markdown readme={readme} />
    </Section>
  )
}

function Meanwhile({ about: { short, readme } }: { about: Description }) {
  return (
    <Section id="meanwhile" title="What is there now">
      {short !== '' && <p>{visible(short)}</p>}
      <pre class="source" tabindex={0}>
        {visible(readme, Infinity)}
      </pre>
    </Section>
  )
}

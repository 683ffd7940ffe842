import { pageSize, type RepositoryView, type TagPage, type TagQuery, type TagView } from '../../admin/admin.ts'
import type { RepositoryName } from '../../oci/reference.ts'
import { bytes, count, counted, visible } from '../format.ts'
import { Section, type Frame } from '../layout.tsx'
import { imagePath, query, repositoryPath } from '../links.ts'
import { Action, Ago, Chip, Notice, Pager, ShortDigest } from '../parts.tsx'

export interface TagsProps {
  frame: Frame
  repository: RepositoryView
  tags: TagPage
  search: TagQuery
  /** Only the first of them are shown, beside other things. */
  isBrief: boolean
}

/** How many tags stand above a README. */
const brief = 8

const columns = { name: 'Tag', updated: 'Pushed', pulled: 'Last pulled', pulls: 'Pulls' } as const
type Order = keyof typeof columns
const usual = { order: 'updated', direction: 'down', page: 1 }

/** The tags of a repository, to be searched, sorted and turned over. */
export function Tags({ frame, repository, tags, search, isBrief }: TagsProps) {
  const { name, registry, about, may } = repository
  const mayDelete = registry === undefined && may.delete
  const at = (given: { order?: string; direction?: string; page?: number }) => {
    const direction = search.descending ? 'down' : 'up'
    // Where there is a README, the page begins with it and few of the tags.
    const view = about.readme === '' ? undefined : 'tags'
    const asked = { view, q: search.text, order: search.order, direction, page: 1, ...given }
    return repositoryPath(name) + query(asked, usual)
  }
  const shown = isBrief ? tags.items.slice(0, brief) : tags.items
  return (
    <Section id="tags" title="Tags" aside={<TagFilter name={name} search={search} total={tags.total} />}>
      {shown.length === 0 ? (
        <Notice tone="info">{search.text === '' ? 'No tag is here.' : 'No tag here has that in it.'}</Notice>
      ) : (
        <table class="tags">
          <Head search={search} link={at} isCached={registry !== undefined} mayDelete={mayDelete} />
          <tbody>
            {shown.map((tag) => (
              <TagRow frame={frame} name={name} tag={tag} mayDelete={mayDelete} />
            ))}
          </tbody>
        </table>
      )}
      {isBrief && tags.total > shown.length && (
        <p>
          <a href={at({})}>All {counted(tags.total, 'tag')}</a>
        </p>
      )}
      {!isBrief && <Pager {...tags} of={Math.ceil(tags.total / pageSize)} link={(page) => at({ page })} />}
    </Section>
  )
}

function TagFilter({ name, search, total }: { name: RepositoryName; search: TagQuery; total: number }) {
  return (
    <form class="filter" action={repositoryPath(name)} role="search">
      <span class="faint">{counted(total, 'tag')}</span>
      <input type="search" name="q" value={search.text} placeholder="Filter tags" aria-label="Filter tags" />
      <input type="hidden" name="order" value={search.order} />
      <input type="hidden" name="direction" value={search.descending ? 'down' : 'up'} />
    </form>
  )
}

interface Sorting {
  search: TagQuery
  link: (given: { order: string; direction: string }) => string
}

function Head({ isCached, mayDelete, ...sorting }: Sorting & { isCached: boolean; mayDelete: boolean }) {
  return (
    <thead>
      <tr>
        <SortedHead order="name" {...sorting} />
        <th scope="col" class="extra">
          Digest
        </th>
        <th scope="col" class="extra">
          Platforms
        </th>
        <th scope="col" class="number">
          Size
        </th>
        <SortedHead order="updated" {...sorting} label={isCached ? 'Moved' : 'Pushed'} />
        <SortedHead order="pulled" {...sorting} />
        <SortedHead order="pulls" {...sorting} />
        {mayDelete && <th scope="col">Delete</th>}
      </tr>
    </thead>
  )
}

const headClass = { name: undefined, updated: undefined, pulled: 'extra', pulls: 'number' }

function SortedHead(props: { order: Order; label?: string } & Sorting) {
  const { order, search, link, label = columns[order] } = props
  const active = search.order === order
  // A second click turns it round; names begin at their start, figures at the most.
  const descending = active ? !search.descending : order !== 'name'
  const now = active ? (search.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" class={headClass[order]} aria-sort={now}>
      <a href={link({ order, direction: descending ? 'down' : 'up' })}>
        {label}
        {active && <span aria-hidden="true">{search.descending ? ' ↓' : ' ↑'}</span>}
      </a>
    </th>
  )
}

interface TagRowProps {
  frame: Frame
  name: RepositoryName
  tag: TagView
  mayDelete: boolean
}

function TagRow({ frame, name, tag, mayDelete }: TagRowProps) {
  const { now } = frame
  return (
    <tr>
      <th scope="row">
        <a href={imagePath(name, tag.tag)}>{tag.tag}</a>
        <Freshness tag={tag} />
      </th>
      <td class="extra">
        <ShortDigest digest={tag.digest} href={imagePath(name, tag.digest)} />
      </td>
      <td class="extra">
        <Platforms platforms={tag.platforms} />
      </td>
      <td class="number">
        {tag.size === undefined ? (
          <span class="faint">–</span>
        ) : (
          <span title={tag.sizeOf && visible(tag.sizeOf)}>{bytes(tag.size)}</span>
        )}
      </td>
      <td>
        <Ago time={tag.updatedAt} now={now} />
      </td>
      <td class="extra">
        <Ago time={tag.pulledAt} now={now} none="never" />
      </td>
      <td class="number">{count(tag.pulls)}</td>
      {mayDelete && (
        <td>
          <Action
            frame={frame}
            action="delete"
            label="Delete"
            title={`Delete ${tag.tag}`}
            values={{ reference: tag.tag }}
            danger
          />
        </td>
      )}
    </tr>
  )
}

/** Whether a cached tag is served without asking, is pinned, or has moved at the upstream, and to what. */
function Freshness({ tag: { fresh, movedTo, isPinned } }: { tag: TagView }) {
  if (isPinned) {
    const title = movedTo === undefined ? 'stays as it is' : `stays as it is; the upstream says ${movedTo}`
    return <Chip title={title}>pinned</Chip>
  }
  if (movedTo) {
    return (
      <span class="moved">
        <Chip tone="warn" title={`the upstream says ${movedTo} now`}>
          moved
        </Chip>{' '}
        to <ShortDigest digest={movedTo} />
      </span>
    )
  }
  if (fresh === undefined) return null
  return fresh ? (
    <Chip tone="good" title="served without asking the upstream">
      fresh
    </Chip>
  ) : (
    <Chip title="the next pull asks the upstream first">stale</Chip>
  )
}

const shownPlatforms = 3

function Platforms({ platforms }: { platforms: readonly string[] }) {
  if (platforms.length === 0) return <span class="faint">–</span>
  const rest = platforms.slice(shownPlatforms)
  return (
    <span class="platforms">
      {platforms.slice(0, shownPlatforms).map((platform) => (
        <span class="platform">{visible(platform)}</span>
      ))}
      {rest.length > 0 && (
        <span class="faint" title={rest.map(visible).join(', ')}>
          +{rest.length}
        </span>
      )}
    </span>
  )
}

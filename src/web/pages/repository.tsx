import type { DeletedTag, RepositoryView, TagPage, TagQuery, TagView } from '../../admin/admin.ts'
import type { RepositoryName } from '../../oci/reference.ts'
import { bytes, count, counted, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { imagePath, query, repositoryPath } from '../links.ts'
import { Action, Ago, Chip, Copyable, Figure, Notice, Pager, ShortDigest } from '../parts.tsx'
import { TagIt, VisibilityAction } from './actions.tsx'
import { DeletedTags } from './history.tsx'
import { RepositoryName as Name } from './home.tsx'

export interface RepositoryProps {
  frame: Frame
  repository: RepositoryView
  tags: TagPage
  /** Tags that were deleted lately, for those who may bring them back. */
  deleted: readonly DeletedTag[]
  search: TagQuery
  /** What an action did. */
  done?: string | undefined
}

/** A repository: what it is, how to pull it, and its tags. */
export function RepositoryPage({ frame, repository, tags, deleted, search, done }: RepositoryProps) {
  const { name, registry, description, visibility } = repository
  return (
    <Page frame={frame} title={name}>
      <div class="title">
        <h1>
          <Name name={name} registry={registry} />
        </h1>
        <Chip>{visibility}</Chip>
        <Chip title={registry && `cached from ${registry}`}>{registry === undefined ? 'hosted' : 'cached'}</Chip>
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {description !== undefined && <p class="description">{visible(description)}</p>}
      <div class="about">
        <Copyable text={`docker pull ${frame.host}/${name}${commonTag(tags)}`} label="pull command" />
        <dl class="figures">
          <Figure label="Tags">{count(repository.tags)}</Figure>
          <Figure label="Pulls">{count(repository.pulls)}</Figure>
          <Figure label="Last pulled">
            <Ago time={repository.pulledAt} now={frame.now} none="never" />
          </Figure>
          <Figure label={registry === undefined ? 'Last pushed' : 'Last moved'}>
            <Ago time={repository.updatedAt} now={frame.now} />
          </Figure>
          <Figure label="On disk">{bytes(repository.storedBytes)}</Figure>
        </dl>
      </div>
      {registry === undefined && repository.may.settle && <VisibilityAction frame={frame} visibility={visibility} />}
      <Tags frame={frame} repository={repository} tags={tags} search={search} />
      {registry === undefined && repository.may.push && <TagIt frame={frame} />}
      <DeletedTags name={name} tags={deleted} now={frame.now} />
    </Page>
  )
}

/** What stands behind the name in the command: latest goes without saying. */
function commonTag({ items }: TagPage): string {
  const first = items[0]
  return first === undefined || items.some(({ tag }) => tag === 'latest') ? '' : `:${first.tag}`
}

const columns = { name: 'Tag', updated: 'Pushed', pulled: 'Last pulled', pulls: 'Pulls' } as const
const usual = { order: 'updated', direction: 'down', page: 1 }

function Tags({ frame, repository, tags, search }: Omit<RepositoryProps, 'deleted'>) {
  const { name, registry, may } = repository
  const mayDelete = registry === undefined && may.delete
  const at = (given: { order?: string; direction?: string; page?: number }) => {
    const direction = search.descending ? 'down' : 'up'
    return repositoryPath(name) + query({ q: search.text, order: search.order, direction, page: 1, ...given }, usual)
  }
  const sorted = (order: keyof typeof columns) => <SortedHead order={order} search={search} link={at} />
  return (
    <Section id="tags" title="Tags" aside={<TagFilter name={name} search={search} total={tags.total} />}>
      {tags.items.length === 0 ? (
        <Notice tone="info">{search.text === '' ? 'No tag is here.' : 'No tag here has that in it.'}</Notice>
      ) : (
        <table class="tags">
          <thead>
            <tr>
              {sorted('name')}
              <th scope="col" class="extra">
                Digest
              </th>
              <th scope="col" class="extra">
                Platforms
              </th>
              <th scope="col" class="number">
                Size
              </th>
              {sorted('updated')}
              {sorted('pulled')}
              {sorted('pulls')}
              {mayDelete && <th scope="col">Delete</th>}
            </tr>
          </thead>
          <tbody>
            {tags.items.map((tag) => (
              <TagRow frame={frame} name={name} tag={tag} mayDelete={mayDelete} />
            ))}
          </tbody>
        </table>
      )}
      <Pager page={tags.page} more={tags.more} link={(page) => at({ page })} />
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

interface SortedHeadProps {
  order: keyof typeof columns
  search: TagQuery
  link: (given: { order: string; direction: string }) => string
}

const headClass = { name: undefined, updated: undefined, pulled: 'extra', pulls: 'number' }

function SortedHead({ order, search, link }: SortedHeadProps) {
  const active = search.order === order
  // A second click turns it round; names begin at their start, figures at the most.
  const descending = active ? !search.descending : order !== 'name'
  const now = active ? (search.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" class={headClass[order]} aria-sort={now}>
      <a href={link({ order, direction: descending ? 'down' : 'up' })}>
        {columns[order]}
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

/** Whether a cached tag is served without asking, is pinned, or has moved at the upstream. */
function Freshness({ tag: { fresh, movedTo, isPinned } }: { tag: TagView }) {
  if (isPinned) {
    const title = movedTo === undefined ? 'stays as it is' : `stays as it is; the upstream says ${movedTo}`
    return <Chip title={title}>pinned</Chip>
  }
  if (movedTo) {
    return (
      <Chip tone="warn" title={`the upstream says ${movedTo} now`}>
        moved
      </Chip>
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

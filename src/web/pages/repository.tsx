import type { DeletedTag, RepositoryView, TagPage, TagQuery } from '../../admin/admin.ts'
import { bytes, count, visible } from '../format.ts'
import { Page, type Frame } from '../layout.tsx'
import { Ago, Chip, Copyable, Figure, Notice } from '../parts.tsx'
import { besides, mirroredCommand, pullCommand, type Pulled } from '../pull-command.ts'
import { RepositoryActions, TagIt } from './actions.tsx'
import { DeletedTags } from './history.tsx'
import { RepositoryName as Name } from './home.tsx'
import { Origin, ReadmeSection, type RenderedReadme } from './readme.tsx'
import { Tags } from './tags.tsx'

export interface RepositoryProps {
  frame: Frame
  repository: RepositoryView
  tags: TagPage
  /** Tags that were deleted lately, for those who may bring them back. */
  deleted: readonly DeletedTag[]
  search: TagQuery
  readme: RenderedReadme | undefined
  /** The README is shown, and few of the tags; else tags are what was asked for. */
  isOverview: boolean
  /** What an action did. */
  done?: string | undefined
}

/** A repository: what it is, how to pull it, and its tags. */
export function RepositoryPage(props: RepositoryProps) {
  const { frame, repository, deleted, readme, isOverview, done } = props
  const { name, registry, about, visibility } = repository
  const isHosted = registry === undefined
  return (
    <Page frame={frame} title={name}>
      <div class="title">
        <h1>
          <Name name={name} registry={registry} />
        </h1>
        <Chip>{visibility}</Chip>
        <Chip title={registry && `cached from ${registry}`}>{isHosted ? 'hosted' : 'cached'}</Chip>
      </div>
      {done !== undefined && <Notice tone="good">{done}</Notice>}
      {about.short !== '' && <p class="description">{visible(about.short)}</p>}
      {about.shortFrom === 'here' && !readme && <Origin about={about} now={frame.now} />}
      <div class="about">
        <PullCommands frame={frame} repository={repository} />
        <dl class="figures">
          <Figure label="Tags">{count(repository.tags)}</Figure>
          <Figure label="Pulls">{count(repository.pulls)}</Figure>
          <Figure label="Last pulled">
            <Ago time={repository.pulledAt} now={frame.now} none="never" />
          </Figure>
          <Figure label={isHosted ? 'Last pushed' : 'Last moved'}>
            <Ago time={repository.updatedAt} now={frame.now} />
          </Figure>
          <Figure label="On disk">{bytes(repository.storedBytes)}</Figure>
        </dl>
      </div>
      {isHosted && <RepositoryActions frame={frame} repository={repository} />}
      <Tags {...props} isBrief={isOverview && readme !== undefined} />
      {isHosted && repository.may.push && <TagIt frame={frame} />}
      <DeletedTags name={name} tags={deleted} now={frame.now} />
      {isOverview && <ReadmeSection about={about} readme={readme} now={frame.now} />}
    </Page>
  )
}

/** What a client of this server types, and what it types where it was told of this server otherwise. */
function PullCommands({ frame, repository }: { frame: Frame; repository: RepositoryView }) {
  const { name, registry, main, hosts } = repository
  const pulled: Pulled = { name, reference: main?.tag, kind: main?.kind ?? 'image' }
  const others = registry === undefined || pulled.kind !== 'image' ? [] : hosts.map((host) => besides(host, frame))
  return (
    <div class="commands">
      <Copyable text={pullCommand(frame, pulled)} label="pull command" />
      {registry !== undefined && pulled.kind === 'image' && (
        <details>
          <summary>Other names for it</summary>
          <p>Where this registry is set as the client’s mirror:</p>
          <Copyable text={mirroredCommand(registry, pulled)} label="pull command by mirror" />
          {others.length > 0 && <p>At a host that is {registry} alone:</p>}
          {others.map((host) => (
            <Copyable text={mirroredCommand(host, pulled)} label={`pull command at ${host}`} />
          ))}
        </details>
      )}
    </div>
  )
}

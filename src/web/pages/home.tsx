import type { ListedRepository } from '../../metadata/metadata.ts'
import { counted, visible } from '../format.ts'
import { Page, Section, type Frame } from '../layout.tsx'
import { repositoryPath } from '../links.ts'
import { Ago, Chip, Copyable } from '../parts.tsx'

export interface HomeProps {
  frame: Frame
  mostPulled: readonly ListedRepository[]
  updated: readonly ListedRepository[]
}

/** The front page: where to look, what is used, what is new. */
export function HomePage({ frame, mostPulled, updated }: HomeProps) {
  return (
    <Page frame={frame} title="Berth">
      <div class="hero">
        <h1>One place for every image</h1>
        <p>Pull from any registry through {frame.host}, push your own beside them.</p>
        <form action="/search" role="search" class="big-find">
          <input type="search" name="q" placeholder="node, team/app, ghcr.io …" aria-label="Repository name" />
          <button type="submit">Search</button>
        </form>
      </div>
      {updated.length === 0 ? (
        <Beginning host={frame.host} />
      ) : (
        <div class="columns">
          <Section id="most-pulled" title="Most pulled">
            <RepositoryList repositories={mostPulled} now={frame.now} />
          </Section>
          <Section id="updated" title="Recently pushed">
            <RepositoryList repositories={updated} now={frame.now} byTime />
          </Section>
        </div>
      )}
    </Page>
  )
}

function Beginning({ host }: { host: string }) {
  return (
    <div class="empty">
      <h2>Nothing is here yet</h2>
      <p>The first pull brings the first image. Any client will do:</p>
      <Copyable text={`docker pull ${host}/docker.io/library/hello-world`} label="pull command" />
    </div>
  )
}

export function RepositoryList(props: { repositories: readonly ListedRepository[]; now: number; byTime?: boolean }) {
  const { repositories, now, byTime } = props
  return (
    <ul class="repositories">
      {repositories.map(({ name, registry, tags, pulls, updatedAt, description }) => (
        <li>
          <a href={repositoryPath(name)}>
            <RepositoryName name={name} registry={registry} />
          </a>
          <span class="facts">
            {registry === undefined && <Chip>hosted</Chip>}
            {byTime ? <Ago time={updatedAt} now={now} /> : <span>{counted(pulls, 'pull')}</span>}
            <span>{counted(tags, 'tag')}</span>
          </span>
          {description !== undefined && <span class="line">{visible(description)}</span>}
        </li>
      ))}
    </ul>
  )
}

/** The registry quietly, the name in full. */
export function RepositoryName({ name, registry }: Pick<ListedRepository, 'name' | 'registry'>) {
  if (registry === undefined) return <strong>{name}</strong>
  return (
    <>
      <span class="registry">{registry}/</span>
      <strong>{name.slice(registry.length + 1)}</strong>
    </>
  )
}

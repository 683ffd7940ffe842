import type { ListedRepository } from '../../metadata/metadata.ts'
import { Page, type Frame } from '../layout.tsx'
import { query } from '../links.ts'
import { Notice, Pager } from '../parts.tsx'
import { RepositoryList } from './home.tsx'

export interface SearchProps {
  frame: Frame
  text: string
  order: 'name' | 'pulls' | 'updated'
  page: number
  more: boolean
  repositories: readonly ListedRepository[]
}

const orders = { pulls: 'Most pulled', updated: 'Recently pushed', name: 'Name' } as const

/** Repositories by name, hosted and cached in one list. */
export function SearchPage({ frame, text, order, page, more, repositories }: SearchProps) {
  const link = (given: { order?: string; page?: number }) =>
    `/search${query({ q: text, order, page: 1, ...given }, { order: 'pulls', page: 1 })}`
  return (
    <Page frame={{ ...frame, search: text }} title={text === '' ? 'Explore' : `Search: ${text}`}>
      <div class="heading">
        <h1>{text === '' ? 'All repositories' : `Repositories with “${text}”`}</h1>
        <nav class="sort" aria-label="Order">
          {Object.entries(orders).map(([key, label]) => (
            <a href={link({ order: key })} aria-current={key === order ? 'true' : undefined}>
              {label}
            </a>
          ))}
        </nav>
      </div>
      {repositories.length === 0 ? (
        <Notice tone="info">
          Nothing here has that name. What was never pulled through this registry is not listed; pulling it brings it
          here.
        </Notice>
      ) : (
        <RepositoryList repositories={repositories} now={frame.now} byTime={order === 'updated'} />
      )}
      <Pager page={page} more={more} link={(to) => link({ page: to })} />
    </Page>
  )
}

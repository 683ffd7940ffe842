import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { ListedRepository, ListedTag, Metadata, RepositorySearch, TagSearch } from '../metadata/metadata.ts'
import { nothingOf, type Description, type Descriptions } from './descriptions.ts'
import { filteredPage, pageSize, type Page } from './pages.ts'
import { Summaries, type Summary } from './summaries.ts'
import type { Guard, Visitor } from './visitor.ts'

export interface RepositoryView extends ListedRepository {
  readonly visibility: 'public' | 'private'
  readonly about: Description
  /** The tag that stands for it. */
  readonly main: TagView | undefined
  /** Hosts under which clients see its upstream alone, and its name there. */
  readonly hosts: readonly string[]
  /** Bytes of its blobs that are on the disk here. */
  readonly storedBytes: number
  readonly may: Rights
}

/** What a visitor may do to a repository. */
export interface Rights {
  readonly push: boolean
  readonly delete: boolean
  /** To say who may do what with it. */
  readonly settle: boolean
  /** To look after the whole registry. */
  readonly administer: boolean
}

export interface TagView extends ListedTag, Summary {
  /** Undefined where it is hosted: then it is what it is. */
  readonly fresh: boolean | undefined
}

export interface TagPage extends Page<TagView> {
  readonly total: number
}

export interface TagQuery extends Pick<TagSearch, 'text' | 'order' | 'descending'> {
  /** From 1. */
  readonly page: number
}

export interface RepositoryQuery {
  readonly text: string
  readonly order: RepositorySearch['order']
  /** From 1. */
  readonly page: number
}

export interface RepositoriesOptions {
  metadata: Metadata
  guard: Guard
  descriptions: Descriptions
  /** Hosts under which clients see one upstream alone. */
  hostsOf: (upstream: string) => readonly string[]
  /** Until when a cached tag that was checked then is served without asking, in milliseconds since 1970. */
  freshUntil: (name: RepositoryName, tag: Tag, checkedAt: number) => number
  now: () => number
}

/** Repositories and their tags, as far as a visitor may see them. */
export class Repositories {
  readonly #options: RepositoriesOptions
  readonly #summaries: Summaries

  constructor(options: RepositoriesOptions) {
    this.#options = options
    this.#summaries = new Summaries(options.metadata.browsing)
  }

  async search(visitor: Visitor, { text, order, page }: RepositoryQuery): Promise<Page<ListedRepository>> {
    const { metadata, guard, descriptions } = this.#options
    await descriptions.catchUp()
    const words = text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 10)
    return filteredPage(
      (offset, limit) => metadata.browsing.listRepositories({ words, order, offset, limit }),
      ({ name }) => guard.mayRead(visitor, name),
      page,
    )
  }

  /** Throws NAME_UNKNOWN where nothing of it is here. */
  async get(visitor: Visitor, name: RepositoryName): Promise<RepositoryView> {
    const { metadata, guard, descriptions, hostsOf } = this.#options
    await guard.expectReadable(visitor, name)
    const found = await metadata.browsing.findRepository(name)
    if (!found) throw nothingOf(name)
    const main = await metadata.browsing.findMainTag(name)
    return {
      ...found,
      visibility: await this.#visibility(name, found.registry),
      about: await descriptions.of(name, main),
      main: main && (await this.#view(name, main)),
      hosts: found.registry === undefined ? [] : hostsOf(found.registry),
      storedBytes: await metadata.browsing.storedBytesOf(name),
      may: await this.rights(visitor, name),
    }
  }

  async rights(visitor: Visitor, name: RepositoryName): Promise<Rights> {
    const { guard } = this.#options
    return {
      push: await guard.may(visitor, 'push', name),
      delete: await guard.may(visitor, 'delete', name),
      settle: await guard.may(visitor, 'administer', name),
      administer: await guard.mayAdminister(visitor),
    }
  }

  async tags(visitor: Visitor, name: RepositoryName, { page, ...query }: TagQuery): Promise<TagPage> {
    const { metadata, guard } = this.#options
    await guard.expectReadable(visitor, name)
    const offset = (page - 1) * pageSize
    const { tags, total } = await metadata.browsing.listTags(name, { ...query, limit: pageSize, offset })
    const items = await Promise.all(tags.map((tag) => this.#view(name, tag)))
    return { items, page, more: offset + tags.length < total, total }
  }

  async #view(name: RepositoryName, tag: ListedTag): Promise<TagView> {
    const { freshUntil, now } = this.#options
    const fresh = tag.checkedAt === undefined ? undefined : now() < freshUntil(name, tag.tag, tag.checkedAt)
    return { ...tag, ...(await this.#summaries.of(name, tag.digest)), fresh }
  }

  async #visibility(name: RepositoryName, registry: string | undefined): Promise<'public' | 'private'> {
    const { metadata, guard } = this.#options
    if (!(await guard.isPublic(name))) return 'private'
    if (registry === undefined) return 'public'
    const there = name.slice(registry.length + 1) as RepositoryName
    const seen = await metadata.findVisibility({ registry, name: there })
    return seen?.public === false ? 'private' : 'public'
  }
}

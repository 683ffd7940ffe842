import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import { splitName, type RepositoryName, type Tag } from '../oci/reference.ts'
import { browsingStatements, type BrowsingStatements, type RepositoryRow, type TagRow } from './browsing-statements.ts'
import type {
  Browsing,
  KeptBytes,
  ListedRepository,
  ListedTag,
  RepositorySearch,
  TagList,
  TagSearch,
} from './browsing.ts'
import { Pulls, type PullCounts } from './pulls.ts'

type TagsBy = ReturnType<BrowsingStatements['hostedTags']>

export class SqliteBrowsing implements Browsing {
  readonly #sql: BrowsingStatements
  readonly #sorted = new Map<string, TagsBy>()
  readonly #pulls: Pulls

  /** `write` runs a writing transaction; it throws when another process holds the lock. */
  constructor(database: Database, write: (work: () => unknown) => void) {
    this.#sql = browsingStatements(database)
    const add = database.transaction((counts: PullCounts) => this.#add(counts))
    this.#pulls = new Pulls((counts) => write(() => add(counts)))
  }

  async listRepositories({ words, order, limit, offset }: RepositorySearch): Promise<ListedRepository[]> {
    return this.#sql.repositories[order].all({ words: JSON.stringify(words), limit, offset }).map(listed)
  }

  async findRepository(name: RepositoryName): Promise<ListedRepository | undefined> {
    const row = this.#sql.repository.get(named(name))
    return row && listed(row)
  }

  async listTags(name: RepositoryName, search: TagSearch): Promise<TagList> {
    const repository = this.#find(name)
    if (!repository) return { tags: [], total: 0 }
    const { id, registry } = repository
    const { text, limit, offset } = search
    const where = { ...named(name), id }
    const count = registry === null ? this.#sql.countHostedTags : this.#sql.countCachedTags
    const rows = this.#tagsBy(registry === null, search).all({ ...where, text, limit, offset })
    return { tags: rows.map(listedTag), total: count.get({ ...where, text })!.count }
  }

  async findTag(name: RepositoryName, tag: Tag): Promise<ListedTag | undefined> {
    const repository = this.#find(name)
    if (!repository) return undefined
    const statement = repository.registry === null ? this.#sql.hostedTag : this.#sql.cachedTag
    const row = statement.get({ ...named(name), id: repository.id, tag })
    return row && listedTag(row)
  }

  async findMainTag(name: RepositoryName): Promise<ListedTag | undefined> {
    const repository = this.#find(name)
    if (!repository) return undefined
    const statement = repository.registry === null ? this.#sql.mainHostedTag : this.#sql.mainCachedTag
    const row = statement.get({ ...named(name), id: repository.id })
    return row && this.findTag(name, row.tag as Tag)
  }

  async findManifest(name: RepositoryName, digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const repository = this.#find(name)
    if (!repository) return undefined
    const statement = repository.registry === null ? this.#sql.hostedManifest : this.#sql.cachedManifest
    const row = statement.get(repository.id, digest)
    return row && new Uint8Array(row.bytes)
  }

  async heldAmong(name: RepositoryName, digests: readonly Digest[]): Promise<Set<Digest>> {
    const repository = this.#find(name)
    if (!repository) return new Set()
    const statement = repository.registry === null ? this.#sql.hostedAmong : this.#sql.cachedAmong
    return new Set(statement.all(repository.id, JSON.stringify(digests)).map((row) => row.digest as Digest))
  }

  async storedBytesOf(name: RepositoryName): Promise<number> {
    const repository = this.#find(name)
    if (!repository) return 0
    const statement = repository.registry === null ? this.#sql.storedOfHosted : this.#sql.storedOfCached
    return statement.get(repository.id)?.bytes ?? 0
  }

  async storedAmong(digests: readonly Digest[]): Promise<Set<Digest>> {
    return new Set(this.#sql.storedAmong.all(JSON.stringify(digests)).map((row) => row.digest as Digest))
  }

  async storedOf(name: RepositoryName): Promise<Digest[]> {
    const repository = this.#find(name)
    if (!repository || repository.registry === null) return []
    return this.#sql.storedOf.all(repository.id).map((row) => row.digest as Digest)
  }

  async keptByUpstream(): Promise<KeptBytes[]> {
    return this.#sql.keptByUpstream.all()
  }

  async findHolder(digest: Digest): Promise<RepositoryName | undefined> {
    return this.#sql.findHolder.get(digest)?.name as RepositoryName | undefined
  }

  pulled(name: RepositoryName, tag: Tag, at: number): void {
    this.#pulls.add(name, tag, at)
  }

  flush(): void {
    this.#pulls.flush()
  }

  #add(counts: PullCounts): void {
    for (const [name, tags] of counts) {
      let all = 0
      let last = 0
      for (const [tag, { pulls, at }] of tags) {
        this.#sql.addPulls.run(name, tag, pulls, at)
        all += pulls
        last = Math.max(last, at)
      }
      this.#sql.addPulls.run(name, '', all, last)
    }
  }

  #find(name: RepositoryName): { id: number; registry: string | null } | undefined {
    return this.#sql.place.get(named(name))
  }

  #tagsBy(hosted: boolean, { order, descending }: TagSearch): TagsBy {
    const key = `${hosted} ${order} ${descending}`
    let statement = this.#sorted.get(key)
    if (!statement) {
      statement = (hosted ? this.#sql.hostedTags : this.#sql.cachedTags)(order, descending)
      this.#sorted.set(key, statement)
    }
    return statement
  }
}

/** A hosted repository has the whole name; an upstream's has what follows the upstream's. */
function named(name: RepositoryName) {
  const { registry, name: rest } = splitName(name)
  return { name, registry, rest }
}

function listed(row: RepositoryRow): ListedRepository {
  return {
    name: row.name as RepositoryName,
    registry: row.registry ?? undefined,
    tags: row.tags,
    pulls: row.pulls ?? 0,
    pulledAt: row.pulled_at ?? undefined,
    updatedAt: row.updated_at ?? undefined,
    description: row.description ?? undefined,
  }
}

function listedTag(row: TagRow): ListedTag {
  const digest = row.pinned ?? row.digest
  const moved = row.newest !== null && row.newest !== digest
  return {
    tag: row.tag as Tag,
    digest: digest as Digest,
    updatedAt: row.updated_at ?? undefined,
    checkedAt: row.checked_at ?? undefined,
    movedTo: moved ? (row.newest as Digest) : undefined,
    isPinned: row.pinned !== null,
    pulls: row.pulls ?? 0,
    pulledAt: row.pulled_at ?? undefined,
  }
}

import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { Metadata, RepositoryKey, TagRecord } from './metadata.ts'
import type { SqliteChanges } from './sqlite-changes.ts'
import type { SqliteParts } from './sqlite-upstreams.ts'

type TagFacts = Pick<Metadata, 'findTag' | 'putTag' | 'deleteTag' | 'listTags' | 'listAllTags'>

/** What upstreams' tags mean here. */
export class SqliteTags implements TagFacts {
  readonly #parts: SqliteParts
  readonly #changes: SqliteChanges
  readonly #put: (repository: RepositoryKey, tag: Tag, record: TagRecord) => void

  constructor(parts: SqliteParts, changes: SqliteChanges) {
    this.#parts = parts
    this.#changes = changes
    this.#put = parts.database.transaction((repository: RepositoryKey, tag: Tag, record: TagRecord) =>
      this.putTagIn(parts.ids.of(repository), repository, tag, record),
    )
  }

  async findTag(repository: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    const id = this.#parts.ids.find(repository)
    const row = id === undefined ? undefined : this.#parts.sql.findTag.get(id, tag)
    return row && { digest: row.digest as Digest, checkedAt: row.checked_at }
  }

  async putTag(repository: RepositoryKey, tag: Tag, record: TagRecord): Promise<void> {
    this.#parts.write(() => this.#put(repository, tag, record))
  }

  /** Within a transaction of the caller's; `id` is the repository's. A tag that comes to mean something else is noted. */
  putTagIn(id: number, { registry, name }: RepositoryKey, tag: Tag, { digest, checkedAt }: TagRecord): void {
    const before = this.#changes.areNoted ? this.#parts.sql.findTag.get(id, tag)?.digest : undefined
    this.#parts.sql.putTag.run(id, tag, digest, checkedAt)
    if (before === undefined || before === digest) return
    const moved = { upstream: registry, repository: name, tag, before: before as Digest, digest }
    this.#changes.note({ type: 'tag-moved', ...moved }, checkedAt)
  }

  async deleteTag(repository: RepositoryKey, tag: Tag): Promise<void> {
    const id = this.#parts.ids.find(repository)
    if (id !== undefined) this.#parts.write(() => this.#parts.sql.deleteTag.run(id, tag))
  }

  async listTags(repository: RepositoryKey): Promise<Tag[]> {
    const id = this.#parts.ids.find(repository)
    return id === undefined ? [] : this.#parts.sql.listTags.all(id).map((row) => row.tag as Tag)
  }

  async listAllTags(): Promise<(RepositoryKey & { tag: Tag; digest: Digest })[]> {
    return this.#parts.sql.allTags.all() as (RepositoryKey & { tag: Tag; digest: Digest })[]
  }
}

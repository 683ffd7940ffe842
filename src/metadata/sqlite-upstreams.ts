import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { TagMoment } from '../oci/registry.ts'
import type { ListKey, Metadata, RepositoryKey, VisibilityRecord, WithheldRecord } from './metadata.ts'
import type { RepositoryIds } from './repository-ids.ts'
import type { Statements } from './statements.ts'

export interface SqliteParts {
  database: Database
  sql: Statements
  ids: RepositoryIds
  write: (work: () => unknown) => void
}

type UpstreamFacts = Pick<
  Metadata,
  | 'noteTag'
  | 'tagHistory'
  | 'tagsOf'
  | 'listWithheld'
  | 'withhold'
  | 'release'
  | 'findVisibility'
  | 'putVisibility'
  | 'findList'
  | 'putList'
>

/** What upstreams said over time. */
export class SqliteUpstreams implements UpstreamFacts {
  readonly #parts: SqliteParts

  constructor(parts: SqliteParts) {
    this.#parts = parts
  }

  async noteTag(repository: RepositoryKey, tag: Tag, digest: Digest, at: number): Promise<number> {
    let since = at
    this.#parts.write(() => (since = this.noteTagIn(this.#parts.ids.of(repository), tag, digest, at)))
    return since
  }

  /** Within a transaction of the caller's. */
  noteTagIn(id: number, tag: Tag, digest: Digest, at: number): number {
    const newest = this.#parts.sql.tagHistory.get(id, tag, 1)
    if (newest?.digest === digest) return newest.seen_at
    // A clock set back must not put the newest behind what it replaces.
    const seenAt = Math.max(at, (newest?.seen_at ?? 0) + 1)
    this.#parts.sql.noteTag.run(id, tag, seenAt, digest)
    return seenAt
  }

  async tagHistory(repository: RepositoryKey, tag: Tag): Promise<TagMoment[]> {
    const id = this.#parts.ids.find(repository)
    const rows = id === undefined ? [] : this.#parts.sql.tagHistory.all(id, tag, -1)
    return rows.map((row) => ({ digest: row.digest as Digest, seenAt: row.seen_at }))
  }

  async tagsOf(repository: RepositoryKey, digest: Digest): Promise<Tag[]> {
    const id = this.#parts.ids.find(repository)
    return id === undefined ? [] : this.#parts.sql.tagsOf.all(id, digest).map((row) => row.tag as Tag)
  }

  async listWithheld(repository: RepositoryKey): Promise<WithheldRecord[]> {
    const id = this.#parts.ids.find(repository)
    return id === undefined ? [] : (this.#parts.sql.listWithheld.all(id) as WithheldRecord[])
  }

  async withhold(repository: RepositoryKey, records: readonly WithheldRecord[]): Promise<void> {
    const hold = this.#parts.database.transaction(() => {
      const id = this.#parts.ids.of(repository)
      for (const { digest, tag, until } of records) this.#parts.sql.withhold.run(id, digest, tag, until)
    })
    this.#parts.write(hold)
  }

  async release(repository: RepositoryKey, digests: readonly Digest[]): Promise<void> {
    const release = this.#parts.database.transaction(() => {
      const id = this.#parts.ids.of(repository)
      for (const digest of digests) this.#parts.sql.release.run(id, digest)
    })
    this.#parts.write(release)
  }

  async findVisibility(repository: RepositoryKey): Promise<VisibilityRecord | undefined> {
    const id = this.#parts.ids.find(repository)
    const row = id === undefined ? undefined : this.#parts.sql.findVisibility.get(id)
    return row && { public: row.public !== 0, checkedAt: row.checked_at }
  }

  async putVisibility(repository: RepositoryKey, record: VisibilityRecord): Promise<void> {
    this.#parts.write(() =>
      this.#parts.sql.putVisibility.run(this.#parts.ids.of(repository), record.public ? 1 : 0, record.checkedAt),
    )
  }

  async findList(repository: RepositoryKey, key: ListKey): Promise<{ json: string; checkedAt: number } | undefined> {
    const id = this.#parts.ids.find(repository)
    const row = id === undefined ? undefined : this.#parts.sql.findList.get(id, key.kind, key.subject)
    return row && { json: row.json, checkedAt: row.checked_at }
  }

  async putList(repository: RepositoryKey, key: ListKey, json: string, checkedAt: number): Promise<void> {
    this.#parts.write(() =>
      this.#parts.sql.putList.run(this.#parts.ids.of(repository), key.kind, key.subject, json, checkedAt),
    )
  }
}

import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Pins, RepositoryKey, TagPin } from './metadata.ts'

export class SqlitePins implements Pins {
  readonly #sql: ReturnType<typeof statements>
  readonly #write: (work: () => unknown) => void

  constructor(database: Database, write: (work: () => unknown) => void) {
    this.#sql = statements(database)
    this.#write = write
  }

  async list(): Promise<string[]> {
    return this.#sql.list.all().map(({ pattern }) => pattern)
  }

  async add(pattern: string, at: number): Promise<void> {
    this.#write(() => this.#sql.add.run(pattern, at))
  }

  async remove(pattern: string): Promise<boolean> {
    let removed = false
    this.#write(() => (removed = this.#sql.remove.run(pattern).changes > 0))
    return removed
  }

  async listTags(): Promise<TagPin[]> {
    return this.#sql.listTags.all().map((row) => ({
      registry: row.registry,
      name: row.name as RepositoryName,
      tag: row.tag as Tag,
      digest: row.digest as Digest,
      pinnedAt: row.pinned_at,
      ...(row.user !== null && { by: row.user }),
    }))
  }

  async putTag({ registry, name, tag, digest, pinnedAt, by }: TagPin): Promise<void> {
    this.#write(() => this.#sql.putTag.run(registry, name, tag, digest, pinnedAt, by ?? null))
  }

  async removeTag({ registry, name }: RepositoryKey, tag: Tag): Promise<boolean> {
    let removed = false
    this.#write(() => (removed = this.#sql.removeTag.run(registry, name, tag).changes > 0))
    return removed
  }
}

interface TagPinRow {
  registry: string
  name: string
  tag: string
  digest: string
  pinned_at: number
  user: string | null
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    list: prepare<[], { pattern: string }>('SELECT pattern FROM pins ORDER BY pattern'),
    add: prepare<[string, number]>('INSERT INTO pins (pattern, pinned_at) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    remove: prepare<[string]>('DELETE FROM pins WHERE pattern = ?'),
    listTags: prepare<[], TagPinRow>('SELECT * FROM tag_pins ORDER BY registry, name, tag'),
    putTag: prepare<[string, string, string, string, number, string | null]>(
      'INSERT OR REPLACE INTO tag_pins (registry, name, tag, digest, pinned_at, user) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    removeTag: prepare<[string, string, string]>('DELETE FROM tag_pins WHERE registry = ? AND name = ? AND tag = ?'),
  }
}

import type { Database } from 'better-sqlite3'
import type { RepositoryName } from '../oci/reference.ts'
import type { DescriptionMetadata, ImageLine, WrittenDescription } from './descriptions.ts'
import type { DurableWrites } from './durable-writes.ts'

interface Row {
  short: string
  readme: string
  revision: number
  written_by: string | null
  written_at: number
}

export class SqliteDescriptions implements DescriptionMetadata {
  readonly #sql: ReturnType<typeof statements>
  readonly #writes: DurableWrites
  readonly #read: (name: RepositoryName, line: ImageLine) => void

  constructor(database: Database, writes: DurableWrites) {
    this.#sql = statements(database)
    this.#writes = writes
    this.#read = database.transaction((name: RepositoryName, { line, whole }: ImageLine) => {
      this.#sql.putLine.run(name, line, whole ? 1 : 0)
      this.#sql.isRead.run(name)
    })
  }

  async find(name: RepositoryName): Promise<WrittenDescription | undefined> {
    const row = this.#sql.find.get(name)
    if (!row) return undefined
    const { short, readme, revision } = row
    return { short, readme, revision, by: row.written_by ?? undefined, at: row.written_at }
  }

  put(name: RepositoryName, written: Omit<WrittenDescription, 'revision'>, revision: number): Promise<boolean> {
    const { short, readme, by, at } = written
    return this.#writes.run(() => {
      if ((this.#sql.find.get(name)?.revision ?? 0) !== revision) return false
      this.#sql.put.run(name, short, readme, revision + 1, by ?? null, at)
      return true
    })
  }

  async listUnread(limit: number): Promise<RepositoryName[]> {
    return this.#sql.listUnread.all(limit).map(({ name }) => name as RepositoryName)
  }

  async read(name: RepositoryName, line: ImageLine): Promise<void> {
    this.#writes.attempt(() => this.#read(name, line))
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    find: prepare<[string], Row>(
      'SELECT short, readme, revision, written_by, written_at FROM descriptions WHERE name = ?',
    ),
    put: prepare<[string, string, string, number, string | null, number]>(
      `INSERT INTO descriptions (name, short, readme, revision, written_by, written_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET short = excluded.short, readme = excluded.readme, revision = excluded.revision,
         written_by = excluded.written_by, written_at = excluded.written_at`,
    ),
    listUnread: prepare<[number], { name: string }>('SELECT name FROM unread_images LIMIT ?'),
    putLine: prepare<[string, string, number]>(
      `INSERT INTO image_lines (name, line, whole) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET line = excluded.line, whole = excluded.whole`,
    ),
    isRead: prepare<[string]>('DELETE FROM unread_images WHERE name = ?'),
  }
}

import { randomUUID } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import type { NotedChange, TagChange } from './webhooks.ts'

/** Changes of tags, noted where they are made. Nothing of it is done while nobody wants to know. */
export class SqliteChanges {
  readonly #sql: ReturnType<typeof statements>
  #wanted: ((change: TagChange) => boolean) | undefined

  constructor(database: Database) {
    this.#sql = statements(database)
  }

  /** Whether any change is to be noted. */
  get areNoted(): boolean {
    return this.#wanted !== undefined
  }

  want(wanted: (change: TagChange) => boolean): void {
    this.#wanted = wanted
  }

  /** Within the transaction that makes the change. */
  note(change: TagChange, at: number): void {
    if (this.#wanted?.(change)) this.#sql.note.run(randomUUID(), at, JSON.stringify(change))
  }

  list(limit: number): NotedChange[] {
    return this.#sql.list.all(limit).map(({ change, ...row }) => ({ ...row, change: JSON.parse(change) as TagChange }))
  }

  remove(id: string): void {
    this.#sql.remove.run(id)
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    note: prepare<[string, number, string]>('INSERT INTO tag_changes (id, at, change) VALUES (?, ?, ?)'),
    list: prepare<[number], { id: string; at: number; change: string }>(
      'SELECT id, at, change FROM tag_changes ORDER BY number LIMIT ?',
    ),
    remove: prepare<[string]>('DELETE FROM tag_changes WHERE id = ?'),
  }
}

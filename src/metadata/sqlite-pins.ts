import type { Database } from 'better-sqlite3'
import type { Pins } from './metadata.ts'

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
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    list: prepare<[], { pattern: string }>('SELECT pattern FROM pins ORDER BY pattern'),
    add: prepare<[string, number]>('INSERT INTO pins (pattern, pinned_at) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    remove: prepare<[string]>('DELETE FROM pins WHERE pattern = ?'),
  }
}

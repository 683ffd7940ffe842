import type { Database } from 'better-sqlite3'
import type { SpendingMetadata, SpendingSum } from './spending.ts'

const dayLength = 86_400_000
const keptFor = 32 * dayLength
const dayOf = (at: number): number => at - (at % dayLength)

export class SqliteSpending implements SpendingMetadata {
  readonly #sql: ReturnType<typeof statements>
  readonly #write: (work: () => unknown) => void
  readonly #add: (sums: readonly SpendingSum[], at: number) => void

  constructor(database: Database, write: (work: () => unknown) => void) {
    this.#sql = statements(database)
    this.#write = write
    this.#add = database.transaction((sums: readonly SpendingSum[], at: number) => {
      for (const sum of sums) this.#sql.add.run({ ...sum, day: dayOf(at) })
      this.#sql.forget.run(at - keptFor)
    })
  }

  async add(sums: readonly SpendingSum[], at: number): Promise<void> {
    this.#write(() => this.#add(sums, at))
  }

  async since(since: number, limit: number): Promise<SpendingSum[]> {
    return this.#sql.since.all(dayOf(since), limit)
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    add: prepare<[SpendingSum & { day: number }]>(
      `INSERT INTO spending (day, upstream, account, caller, repository, pulls)
       VALUES (@day, @upstream, @account, @caller, @repository, @pulls)
       ON CONFLICT DO UPDATE SET pulls = pulls + excluded.pulls`,
    ),
    forget: prepare<[number]>('DELETE FROM spending WHERE day < ?'),
    since: prepare<[number, number], SpendingSum>(
      `SELECT upstream, account, caller, repository, sum(pulls) AS pulls FROM spending WHERE day >= ?
       GROUP BY upstream, account, caller, repository ORDER BY pulls DESC, upstream, account, caller, repository LIMIT ?`,
    ),
  }
}

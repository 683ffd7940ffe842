import type { Database } from 'better-sqlite3'
import type { FigureName, FigureSpan, FiguresMetadata, FigureSum } from './figures.ts'

/** The length of a row's span, in milliseconds. */
const spanLength = 5 * 60_000
const keptFor = 32 * 86_400_000

export class SqliteFigures implements FiguresMetadata {
  readonly #sql: ReturnType<typeof statements>
  readonly #write: (work: () => unknown) => void
  readonly #add: (sums: readonly FigureSum[], at: number) => void

  constructor(database: Database, write: (work: () => unknown) => void) {
    this.#sql = statements(database)
    this.#write = write
    this.#add = database.transaction((sums: readonly FigureSum[], at: number) => {
      const beganAt = at - (at % spanLength)
      for (const { figure, subject, value } of sums) this.#sql.add.run(beganAt, figure, subject, value)
      this.#sql.forget.run(at - keptFor)
    })
  }

  async add(sums: readonly FigureSum[], at: number): Promise<void> {
    this.#write(() => this.#add(sums, at))
  }

  async spans(since: number, step: number): Promise<FigureSpan[]> {
    const spans = new Map<number, Partial<Record<FigureName, number>>>()
    for (const { began_at, figure, value } of this.#sql.spans.all({ since, step })) {
      const values = spans.get(began_at) ?? {}
      values[figure] = value
      spans.set(began_at, values)
    }
    return [...spans].map(([beganAt, values]) => ({ beganAt, values }))
  }

  async totals(since: number): Promise<FigureSum[]> {
    return this.#sql.totals.all(since)
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    add: prepare<[number, string, string, number]>(
      `INSERT INTO figures (began_at, figure, subject, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = value + excluded.value`,
    ),
    forget: prepare<[number]>('DELETE FROM figures WHERE began_at < ?'),
    spans: prepare<[{ since: number; step: number }], { began_at: number; figure: FigureName; value: number }>(
      `SELECT began_at - began_at % @step AS began_at, figure, sum(value) AS value FROM figures
       WHERE began_at >= @since GROUP BY 1, figure ORDER BY 1`,
    ),
    totals: prepare<[number], FigureSum>(
      `SELECT figure, subject, sum(value) AS value FROM figures WHERE began_at >= ?
       GROUP BY figure, subject ORDER BY figure, subject`,
    ),
  }
}

import type { Database } from 'better-sqlite3'
import type { DurableWrites } from './durable-writes.ts'
import type { WarmMetadata, WarmOrder, WarmOutcome, WarmResult, WarmRunRecord } from './warm.ts'

/** Ended runs of a list, or by hand, that stay known. */
const kept = 10

interface Row {
  id: number
  list: string | null
  wanted: string
  started_at: number
  ended_at: number | null
  outcome: WarmOutcome | null
}

type NewRun = Pick<WarmRunRecord, 'list' | 'order' | 'startedAt'>

/** None of its writes is worth a sync: what a power loss undoes is looked at once more. */
export class SqliteWarm implements WarmMetadata {
  readonly #sql: ReturnType<typeof statements>
  readonly #writes: DurableWrites
  readonly #begin: (run: NewRun) => number

  constructor(database: Database, writes: DurableWrites) {
    this.#sql = statements(database)
    this.#writes = writes
    this.#begin = database.transaction(({ list, order, startedAt }: NewRun) => {
      this.#sql.forget.run({ list: list ?? null, kept })
      return this.#sql.begin.get(list ?? null, JSON.stringify(order), startedAt)!.id
    })
  }

  begin(run: NewRun): Promise<number> {
    return this.#writes.unsynced(() => this.#begin(run))
  }

  async putResult(run: number, { reference, outcome, message, bytes, at }: WarmResult): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.putResult.run(run, reference, outcome, message ?? null, bytes, at))
  }

  async end(run: number, outcome: WarmOutcome, at: number): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.end.run(at, outcome, run))
  }

  async find(run: number): Promise<WarmRunRecord | undefined> {
    const row = this.#sql.find.get(run)
    return row && recordOf(row)
  }

  async results(run: number): Promise<WarmResult[]> {
    return this.#sql.results.all(run).map(({ message, ...row }) => ({ ...row, message: message ?? undefined }))
  }

  async unfinished(): Promise<WarmRunRecord[]> {
    return this.#sql.unfinished.all().map(recordOf)
  }

  async latest(list: string | undefined, limit: number): Promise<WarmRunRecord[]> {
    return this.#sql.latest.all(list ?? null, limit).map(recordOf)
  }
}

function recordOf({ id, list, wanted, started_at: startedAt, ended_at, outcome }: Row): WarmRunRecord {
  const order = JSON.parse(wanted) as WarmOrder
  return {
    id,
    list: list ?? undefined,
    order,
    startedAt,
    endedAt: ended_at ?? undefined,
    outcome: outcome ?? undefined,
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    begin: prepare<[string | null, string, number], { id: number }>(
      'INSERT INTO warm_runs (list, wanted, started_at) VALUES (?, ?, ?) RETURNING id',
    ),
    forget: prepare<[{ list: string | null; kept: number }]>(
      `DELETE FROM warm_runs WHERE list IS @list AND ended_at IS NOT NULL AND id NOT IN
         (SELECT id FROM warm_runs WHERE list IS @list ORDER BY id DESC LIMIT @kept)`,
    ),
    putResult: prepare<[number, string, string, string | null, number, number]>(
      `INSERT INTO warm_results (run, reference, outcome, message, bytes, at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET outcome = excluded.outcome, message = excluded.message, bytes = excluded.bytes,
         at = excluded.at`,
    ),
    end: prepare<[number, string, number]>('UPDATE warm_runs SET ended_at = ?, outcome = ? WHERE id = ?'),
    find: prepare<[number], Row>('SELECT * FROM warm_runs WHERE id = ?'),
    results: prepare<
      [number],
      { reference: string; outcome: WarmResult['outcome']; message: string | null; bytes: number; at: number }
    >('SELECT reference, outcome, message, bytes, at FROM warm_results WHERE run = ? ORDER BY rowid'),
    unfinished: prepare<[], Row>('SELECT * FROM warm_runs WHERE ended_at IS NULL ORDER BY id'),
    latest: prepare<[string | null, number], Row>('SELECT * FROM warm_runs WHERE list IS ? ORDER BY id DESC LIMIT ?'),
  }
}

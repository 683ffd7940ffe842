import type { Database } from 'better-sqlite3'
import type { DurableWrites } from './durable-writes.ts'
import type { SqliteChanges } from './sqlite-changes.ts'
import type {
  AttemptRecord,
  DeliveryRecord,
  NotedChange,
  TagChange,
  WaitingDelivery,
  WebhookMetadata,
} from './webhooks.ts'

interface Row {
  id: string
  hook: string
  body: string
  created_at: number
  attempts: number
}

type NewDelivery = Omit<DeliveryRecord, 'attempts'>

/** None of its writes is worth a sync: what a power loss undoes is told once more. */
export class SqliteWebhooks implements WebhookMetadata {
  readonly #sql: ReturnType<typeof statements>
  readonly #writes: DurableWrites
  readonly #changes: SqliteChanges
  readonly #settle: (id: string, deliveries: readonly NewDelivery[]) => void
  readonly #note: (hook: string, attempt: AttemptRecord, until: number | undefined) => void

  constructor(database: Database, writes: DurableWrites, changes: SqliteChanges) {
    this.#sql = statements(database)
    this.#writes = writes
    this.#changes = changes
    this.#settle = database.transaction((id: string, deliveries: readonly NewDelivery[]) => {
      for (const delivery of deliveries) this.#put(delivery)
      changes.remove(id)
    })
    this.#note = database.transaction((hook: string, attempt: AttemptRecord, until: number | undefined) => {
      const { event, type, at, attempts, status, problem } = attempt
      this.#sql.attempted.run(hook, event, type, at, attempts, status ?? null, problem ?? null)
      if (until === undefined) this.#sql.remove.run(event, hook)
      else this.#sql.postpone.run(until, problem ?? null, event, hook)
    })
  }

  noteChanges(wanted: (change: TagChange) => boolean): void {
    this.#changes.want(wanted)
  }

  async notedChanges(limit: number): Promise<NotedChange[]> {
    return this.#changes.list(limit)
  }

  settleChange(id: string, deliveries: readonly NewDelivery[]): Promise<void> {
    return this.#writes.unsynced(() => this.#settle(id, deliveries))
  }

  putDelivery(delivery: NewDelivery): Promise<void> {
    return this.#writes.unsynced(() => this.#put(delivery))
  }

  async dueDeliveries(hook: string, at: number, limit: number): Promise<DeliveryRecord[]> {
    return this.#sql.due.all(hook, at, limit).map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }))
  }

  async listDeliveries(hook: string, limit: number): Promise<WaitingDelivery[]> {
    return this.#sql.list.all(hook, limit).map(({ created_at: createdAt, due_at: dueAt, problem, ...row }) => {
      return { ...row, createdAt, dueAt, problem: problem ?? undefined }
    })
  }

  async nextDelivery(hook: string): Promise<number | undefined> {
    return this.#sql.next.get(hook)?.due ?? undefined
  }

  noteAttempt(hook: string, attempt: AttemptRecord, until: number | undefined): Promise<void> {
    return this.#writes.unsynced(() => this.#note(hook, attempt, until))
  }

  async lastAttempt(hook: string): Promise<AttemptRecord | undefined> {
    const row = this.#sql.lastAttempt.get(hook)
    return row && { ...row, status: row.status ?? undefined, problem: row.problem ?? undefined }
  }

  hurryDeliveries(hook: string, at: number, id?: string): Promise<number> {
    return this.#writes.unsynced(() => this.#sql.hurry.run(at, hook, id ?? null, id ?? null).changes)
  }

  async removeDelivery({ id, hook }: Pick<DeliveryRecord, 'id' | 'hook'>): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.remove.run(id, hook))
  }

  async countDeliveries(hook: string): Promise<number> {
    return this.#sql.count.get(hook)!.count
  }

  async forgetDeliveries(except: readonly string[], before: number): Promise<string[]> {
    const names = JSON.stringify(except)
    const forgotten = await this.#writes.unsynced(() => this.#sql.forget.all(before, names))
    return [...new Set(forgotten.map(({ hook }) => hook))]
  }

  #put({ id, hook, body, createdAt }: NewDelivery): void {
    this.#sql.put.run(id, hook, body, createdAt, createdAt)
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    put: prepare<[string, string, string, number, number]>(
      `INSERT INTO webhook_deliveries (id, hook, body, created_at, due_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    ),
    due: prepare<[string, number, number], Row>(
      `SELECT id, hook, body, created_at, attempts FROM webhook_deliveries
       WHERE hook = ? AND due_at <= ? ORDER BY number LIMIT ?`,
    ),
    list: prepare<[string, number], Row & { due_at: number; problem: string | null }>(
      `SELECT id, hook, body, created_at, attempts, due_at, problem FROM webhook_deliveries
       WHERE hook = ? ORDER BY number LIMIT ?`,
    ),
    next: prepare<[string], { due: number | null }>('SELECT min(due_at) AS due FROM webhook_deliveries WHERE hook = ?'),
    postpone: prepare<[number, string | null, string, string]>(
      'UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ?, problem = ? WHERE id = ? AND hook = ?',
    ),
    attempted: prepare<[string, string, string, number, number, number | null, string | null]>(
      `INSERT INTO webhook_attempts (hook, event, type, at, attempts, status, problem) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET event = excluded.event, type = excluded.type, at = excluded.at,
         attempts = excluded.attempts, status = excluded.status, problem = excluded.problem`,
    ),
    lastAttempt: prepare<
      [string],
      { event: string; type: string; at: number; attempts: number; status: number | null; problem: string | null }
    >('SELECT event, type, at, attempts, status, problem FROM webhook_attempts WHERE hook = ?'),
    hurry: prepare<[number, string, string | null, string | null]>(
      'UPDATE webhook_deliveries SET due_at = ? WHERE hook = ? AND (? IS NULL OR id = ?)',
    ),
    remove: prepare<[string, string]>('DELETE FROM webhook_deliveries WHERE id = ? AND hook = ?'),
    count: prepare<[string], { count: number }>('SELECT count(*) AS count FROM webhook_deliveries WHERE hook = ?'),
    forget: prepare<[number, string], { hook: string }>(
      `DELETE FROM webhook_deliveries WHERE created_at < ? AND hook NOT IN (SELECT value FROM json_each(?))
       RETURNING hook`,
    ),
  }
}

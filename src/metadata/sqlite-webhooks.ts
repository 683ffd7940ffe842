import type { Database } from 'better-sqlite3'
import type { DeliveryRecord, WebhookMetadata } from './webhooks.ts'

interface Row {
  id: string
  hook: string
  body: string
  created_at: number
  attempts: number
}

export class SqliteWebhooks implements WebhookMetadata {
  readonly #sql: ReturnType<typeof statements>

  constructor(database: Database) {
    this.#sql = statements(database)
  }

  async putDelivery({ id, hook, body, createdAt }: Omit<DeliveryRecord, 'attempts'>): Promise<void> {
    this.#sql.put.run(id, hook, body, createdAt, createdAt)
  }

  async dueDeliveries(hook: string, at: number, limit: number): Promise<DeliveryRecord[]> {
    return this.#sql.due.all(hook, at, limit).map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }))
  }

  async postponeDelivery({ id, hook }: Pick<DeliveryRecord, 'id' | 'hook'>, until: number): Promise<void> {
    this.#sql.postpone.run(until, id, hook)
  }

  async removeDelivery({ id, hook }: Pick<DeliveryRecord, 'id' | 'hook'>): Promise<void> {
    this.#sql.remove.run(id, hook)
  }

  async countDeliveries(hook: string): Promise<number> {
    return this.#sql.count.get(hook)!.count
  }

  async forgetDeliveries(except: readonly string[], before: number): Promise<string[]> {
    const forgotten = this.#sql.forget.all(before, JSON.stringify(except))
    return [...new Set(forgotten.map(({ hook }) => hook))]
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
    postpone: prepare<[number, string, string]>(
      'UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ? AND hook = ?',
    ),
    remove: prepare<[string, string]>('DELETE FROM webhook_deliveries WHERE id = ? AND hook = ?'),
    count: prepare<[string], { count: number }>('SELECT count(*) AS count FROM webhook_deliveries WHERE hook = ?'),
    forget: prepare<[number, string], { hook: string }>(
      `DELETE FROM webhook_deliveries WHERE created_at < ? AND hook NOT IN (SELECT value FROM json_each(?))
       RETURNING hook`,
    ),
  }
}

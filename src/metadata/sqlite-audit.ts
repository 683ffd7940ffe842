import type { Database } from 'better-sqlite3'
import type { AuditEntry, AuditMetadata, AuditQuery, AuditRecord } from './audit.ts'

type Nullable<T> = { [Key in keyof T]: undefined extends T[Key] ? Exclude<T[Key], undefined> | null : T[Key] }
type Filter = Nullable<Required<AuditQuery>>

export class SqliteAudit implements AuditMetadata {
  readonly #append: (entries: readonly AuditEntry[]) => void
  readonly #sql: ReturnType<typeof statements>

  constructor(database: Database) {
    this.#sql = statements(database)
    this.#append = database.transaction((entries: readonly AuditEntry[]) => {
      for (const { at, action, user, address, name, detail, count } of entries) {
        this.#sql.append.run(at, action, user ?? null, address ?? null, name ?? null, detail ?? null, count)
      }
    })
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    this.#append(entries)
  }

  async list({ after, limit, since, user, action, name }: AuditQuery): Promise<AuditRecord[]> {
    const filter = {
      after,
      limit,
      since: since ?? null,
      user: user ?? null,
      action: action ?? null,
      name: name ?? null,
    }
    return this.#sql.list.all(filter).map(({ user, address, name, detail, ...row }) => ({
      ...row,
      user: user ?? undefined,
      address: address ?? undefined,
      name: name ?? undefined,
      detail: detail ?? undefined,
    }))
  }

  async expire(before: number): Promise<number> {
    return this.#sql.expire.run(before).changes
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  type Text = string | null
  return {
    append: prepare<[number, string, Text, Text, Text, Text, number]>(
      'INSERT INTO audit (at, action, user, address, name, detail, count) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    list: prepare<[Filter], Nullable<AuditRecord>>(
      `SELECT number, at, action, user, address, name, detail, count FROM audit
       WHERE number > $after AND ($since IS NULL OR at >= $since) AND ($user IS NULL OR user = $user)
         AND ($action IS NULL OR action = $action) AND ($name IS NULL OR name = $name)
       ORDER BY number LIMIT $limit`,
    ),
    expire: prepare<[number]>('DELETE FROM audit WHERE at < ?'),
  }
}

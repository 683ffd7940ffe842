import type { Database } from 'better-sqlite3'
import type { AuditEntry, AuditFilter, AuditMetadata, AuditQuery, AuditRecord } from './audit.ts'

type Nullable<T> = { [Key in keyof T]: undefined extends T[Key] ? Exclude<T[Key], undefined> | null : T[Key] }
type Filter = Nullable<Required<AuditFilter>>
type Row = Nullable<AuditRecord>

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

  async list({ after, limit, ...filter }: AuditQuery): Promise<AuditRecord[]> {
    return this.#sql.list.all({ after, limit, ...filled(filter) }).map(recordOf)
  }

  async latest({ before, limit, ...filter }: Parameters<AuditMetadata['latest']>[0]): Promise<AuditRecord[]> {
    return this.#sql.latest.all({ before: before ?? null, limit, ...filled(filter) }).map(recordOf)
  }

  async expire(before: number): Promise<number> {
    return this.#sql.expire.run(before).changes
  }
}

function filled({ since, user, action, name }: AuditFilter): Filter {
  return { since: since ?? null, user: user ?? null, action: action ?? null, name: name ?? null }
}

function recordOf({ user, address, name, detail, ...row }: Row): AuditRecord {
  return {
    ...row,
    user: user ?? undefined,
    address: address ?? undefined,
    name: name ?? undefined,
    detail: detail ?? undefined,
  }
}

const select = 'SELECT number, at, action, user, address, name, detail, count FROM audit'
const filters = `($since IS NULL OR at >= $since) AND ($user IS NULL OR user = $user)
  AND ($action IS NULL OR action = $action) AND ($name IS NULL OR name = $name)`

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  type Text = string | null
  return {
    append: prepare<[number, string, Text, Text, Text, Text, number]>(
      'INSERT INTO audit (at, action, user, address, name, detail, count) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    list: prepare<[Filter & { after: number; limit: number }], Row>(
      `${select} WHERE number > $after AND ${filters} ORDER BY number LIMIT $limit`,
    ),
    latest: prepare<[Filter & { before: number | null; limit: number }], Row>(
      `${select} WHERE ($before IS NULL OR number < $before) AND ${filters} ORDER BY number DESC LIMIT $limit`,
    ),
    expire: prepare<[number]>('DELETE FROM audit WHERE at < ?'),
  }
}

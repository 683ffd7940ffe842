import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { TagMoment } from '../oci/registry.ts'
import type { EarlierMeaning } from './hosted.ts'

/** How many changes of one tag are kept. */
const most = 500

interface Change {
  /** Undefined where the tag is deleted. */
  readonly digest: Digest | undefined
  readonly at: number
  /** Who does it. */
  readonly by: string | undefined
}

interface Row {
  changed_at: number
  digest: string | null
  user: string | null
}

/** What hosted tags meant over time. What it writes is part of the caller's transaction. */
export class SqliteTagHistory {
  readonly #sql: ReturnType<typeof statements>

  constructor(database: Database) {
    this.#sql = statements(database)
  }

  note(name: RepositoryName, tag: Tag, { digest, at, by }: Change): void {
    const newest = this.#sql.list.get(name, tag, 1)
    if (newest ? newest.digest === (digest ?? null) : digest === undefined) return
    // A clock set back must not put the newest behind what it replaces.
    const changedAt = Math.max(at, (newest?.changed_at ?? 0) + 1)
    this.#sql.add.run(name, tag, changedAt, digest ?? null, by ?? null)
    this.#sql.trim.run({ name, tag, most })
  }

  /** Newest first. */
  list(name: RepositoryName, tag: Tag): TagMoment[] {
    return this.#sql.list.all(name, tag, most).map((row) => ({
      digest: (row.digest ?? undefined) as Digest | undefined,
      seenAt: row.changed_at,
      ...(row.user !== null && { by: row.user }),
    }))
  }

  /** What the tags that are there meant before what they mean now, newest first. */
  earlier(name: RepositoryName, repository: number): EarlierMeaning[] {
    return this.#sql.earlier.all(name, repository) as EarlierMeaning[]
  }

  /** Tags that are not there any more, the one that was deleted last first. */
  deleted(name: RepositoryName, limit: number): { tag: Tag; deletedAt: number }[] {
    return this.#sql.deleted.all(name, limit) as { tag: Tag; deletedAt: number }[]
  }

  /** Forgets tags that were deleted before this, and stayed so. */
  expire(before: number): number {
    // Most often there is nothing to do, and then nobody need wait for the lock.
    return this.#sql.findExpired.get(before) ? this.#sql.expire.run(before).changes : 0
  }

  forgetNamespace(namespace: string): void {
    // What follows a slash in ASCII is a zero.
    this.#sql.forget.run(`${namespace}/`, `${namespace}0`)
  }
}

const isLast = `NOT EXISTS (SELECT 1 FROM hosted_tag_history AS n
  WHERE n.name = h.name AND n.tag = h.tag AND n.changed_at > h.changed_at)`

const expired = `SELECT name, tag FROM hosted_tag_history AS h WHERE digest IS NULL AND changed_at < ? AND ${isLast}`

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    list: prepare<[string, string, number], Row>(
      'SELECT changed_at, digest, user FROM hosted_tag_history WHERE name = ? AND tag = ? ORDER BY changed_at DESC LIMIT ?',
    ),
    add: prepare<[string, string, number, string | null, string | null]>(
      'INSERT INTO hosted_tag_history (name, tag, changed_at, digest, user) VALUES (?, ?, ?, ?, ?)',
    ),
    trim: prepare<[{ name: string; tag: string; most: number }]>(
      `DELETE FROM hosted_tag_history WHERE name = @name AND tag = @tag AND changed_at <= (
         SELECT changed_at FROM hosted_tag_history WHERE name = @name AND tag = @tag
         ORDER BY changed_at DESC LIMIT 1 OFFSET @most)`,
    ),
    earlier: prepare<[string, number], { tag: string; digest: string }>(
      `SELECT h.tag, h.digest FROM hosted_tag_history AS h JOIN hosted_tags AS t USING (tag)
       WHERE h.name = ? AND t.repository = ? AND h.digest IS NOT NULL AND h.digest <> t.digest
       ORDER BY h.tag, h.changed_at DESC`,
    ),
    deleted: prepare<[string, number], { tag: string; deletedAt: number }>(
      `SELECT tag, changed_at AS deletedAt FROM hosted_tag_history AS h
       WHERE name = ? AND digest IS NULL AND ${isLast} ORDER BY changed_at DESC LIMIT ?`,
    ),
    findExpired: prepare<[number]>(`${expired} LIMIT 1`),
    expire: prepare<[number]>(`DELETE FROM hosted_tag_history WHERE (name, tag) IN (${expired})`),
    forget: prepare<[string, string]>('DELETE FROM hosted_tag_history WHERE name >= ? AND name < ?'),
  }
}

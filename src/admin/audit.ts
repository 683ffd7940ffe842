import type { AuditRecord, Metadata } from '../metadata/metadata.ts'
import { pageSize } from './pages.ts'
import type { Guard, Visitor } from './visitor.ts'

export interface AuditQuery {
  /** Only what this user did; empty for everybody. */
  readonly user: string
  /** Only what was done to this: a repository, an account. */
  readonly name: string
  readonly action: string
}

export interface AuditPage {
  readonly entries: readonly AuditRecord[]
  /** Where the next page begins; undefined where this is the last. */
  readonly next: number | undefined
}

/** Who did what; for administrators. */
export class AuditAdmin {
  readonly #guard: Guard
  readonly #metadata: Metadata

  constructor({ guard, metadata }: { guard: Guard; metadata: Metadata }) {
    this.#guard = guard
    this.#metadata = metadata
  }

  /** Newest first, from before an entry's number. */
  async page(visitor: Visitor, { before, ...query }: AuditQuery & { before: number | undefined }): Promise<AuditPage> {
    await this.#guard.expectAdministrator(visitor)
    const entries = await this.#metadata.audit.latest({ ...filterOf(query), before, limit: pageSize })
    return pageOf(entries, pageSize)
  }

  /** Oldest first, from behind an entry's number. `since`: milliseconds since 1970. */
  async log(
    visitor: Visitor,
    { since, after, limit, ...query }: AuditQuery & { since: number | undefined; after: number; limit: number },
  ): Promise<AuditPage> {
    await this.#guard.expectAdministrator(visitor)
    const entries = await this.#metadata.audit.list({ ...filterOf(query), since, after, limit })
    return pageOf(entries, limit)
  }
}

function filterOf({ user, name, action }: AuditQuery) {
  const some = (text: string) => (text === '' ? undefined : text)
  return { user: some(user), name: some(name), action: some(action) }
}

function pageOf(entries: readonly AuditRecord[], size: number): AuditPage {
  return { entries, next: entries.length < size ? undefined : entries.at(-1)?.number }
}

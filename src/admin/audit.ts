import type { AuditRecord, Metadata } from '../metadata/metadata.ts'
import { pageSize } from './pages.ts'
import type { Guard, Visitor } from './visitor.ts'

export interface AuditQuery {
  /** Only what this user did; empty for everybody. */
  readonly user: string
  /** Only what was done to this: a repository, an account. */
  readonly name: string
  readonly action: string
  /** Only entries before this number, to go on with. */
  readonly before: number | undefined
}

export interface AuditPage {
  readonly entries: readonly AuditRecord[]
  /** Where the next page begins; undefined where this is the last. */
  readonly next: number | undefined
}

/** Who did what, newest first; for administrators. */
export async function auditPage(
  { guard, metadata }: { guard: Guard; metadata: Metadata },
  visitor: Visitor,
  { user, name, action, before }: AuditQuery,
): Promise<AuditPage> {
  await guard.expectAdministrator(visitor)
  const some = (text: string) => (text === '' ? undefined : text)
  const filter = { user: some(user), name: some(name), action: some(action) }
  const entries = await metadata.audit.latest({ ...filter, before, limit: pageSize })
  return { entries, next: entries.length < pageSize ? undefined : entries.at(-1)?.number }
}

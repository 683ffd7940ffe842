import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { HostedStatements } from './hosted-statements.ts'
import type { Collected, CollectOrder } from './hosted.ts'
import type { SqliteTagHistory } from './sqlite-tag-history.ts'

/** What is collected from, and by which statements. */
export interface CollectParts {
  database: Database
  sql: HostedStatements
  history: SqliteTagHistory
}

interface Place {
  name: RepositoryName
  id: number
}

/** Ends a dry run: all that was done to find out is undone. */
class Undo extends Error {
  readonly collected: Collected
  constructor(collected: Collected) {
    super()
    this.collected = collected
  }
}

/**
 * Removes what nothing reaches from one repository, in one transaction: a push that ends before it is seen whole, one that
 * ends after it finds what is left. A dry run does the same and takes it back.
 */
export function collectIn(parts: CollectParts, place: Place, order: CollectOrder): Collected {
  const run = parts.database.transaction(() => {
    const collected = { tags: removeTags(parts, place, order), ...removeUnreachable(parts.sql, place.id, order) }
    if (order.dryRun) throw new Undo(collected)
    return collected
  })
  try {
    return run.immediate()
  } catch (error) {
    if (error instanceof Undo) return error.collected
    throw error
  }
}

function removeTags({ sql, history }: CollectParts, { name, id }: Place, order: CollectOrder): Tag[] {
  return order.tags.flatMap(({ tag, digest }) => {
    if (sql.deleteTagIf.run(id, tag, digest).changes === 0) return []
    sql.touchManifestIn.run(order.untagAs, id, digest)
    history.note(name, tag, { digest: undefined, at: order.at, by: undefined })
    return [tag]
  })
}

function removeUnreachable(sql: HostedStatements, id: number, order: CollectOrder): Omit<Collected, 'tags'> {
  const keep = JSON.stringify(order.keep ?? [])
  sql.findLive.run({ repository: id, before: order.manifestsBefore, keep })
  const manifests = sql.unreachable.all(id)
  for (const { digest } of manifests) {
    sql.deleteReferences.run(id, digest)
    sql.deleteManifest.run(id, digest)
  }
  const blobs = sql.unnamedBlobs.all(id, order.blobsBefore)
  for (const { digest } of blobs) sql.deleteBlobIn.run(id, digest)
  sql.forgetLive.run()
  return { manifests: manifests as Found[], blobs: blobs as Found[] }
}

type Found = { digest: Digest; size: number }

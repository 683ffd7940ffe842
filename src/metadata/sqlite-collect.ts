import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { HostedStatements } from './hosted-statements.ts'
import type { Collected, CollectOrder } from './hosted.ts'

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
export function collectIn(database: Database, sql: HostedStatements, id: number, order: CollectOrder): Collected {
  const run = database.transaction(() => {
    const collected = { tags: removeTags(sql, id, order), ...removeUnreachable(sql, id, order) }
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

function removeTags(sql: HostedStatements, id: number, order: CollectOrder): Tag[] {
  return order.tags.flatMap(({ tag, digest }) => {
    const removed = sql.deleteTagIf.run(id, tag, digest).changes > 0
    if (removed) sql.touchManifestIn.run(order.untagAs, id, digest)
    return removed ? [tag] : []
  })
}

function removeUnreachable(sql: HostedStatements, id: number, order: CollectOrder): Omit<Collected, 'tags'> {
  const manifests = sql.unreachable.all({ repository: id, before: order.manifestsBefore })
  for (const { digest } of manifests) {
    sql.deleteReferences.run(id, digest)
    sql.deleteManifest.run(id, digest)
  }
  const blobs = sql.unnamedBlobs.all(id, order.blobsBefore)
  for (const { digest } of blobs) sql.deleteBlobIn.run(id, digest)
  return { manifests: manifests as Found[], blobs: blobs as Found[] }
}

type Found = { digest: Digest; size: number }

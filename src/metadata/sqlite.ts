import { mkdirSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { EvictionCandidate, ManifestRecord, Metadata, RepositoryKey, StoredBlobRecord } from './metadata.ts'
import { BriefWrites } from './brief-writes.ts'
import { DurableWrites } from './durable-writes.ts'
import { LockWait } from './lock-wait.ts'
import { migrate } from './migrate.ts'
import { RepositoryIds } from './repository-ids.ts'
import { SqliteAccess } from './sqlite-access.ts'
import { SqliteAudit } from './sqlite-audit.ts'
import { SqliteBrowsing } from './sqlite-browsing.ts'
import { SqliteChanges } from './sqlite-changes.ts'
import { SqliteDescriptions } from './sqlite-descriptions.ts'
import { SqliteFigures } from './sqlite-figures.ts'
import { SqliteHosted } from './sqlite-hosted.ts'
import { SqlitePins } from './sqlite-pins.ts'
import { SqliteSignatures } from './sqlite-signatures.ts'
import { SqliteSpending } from './sqlite-spending.ts'
import { SqliteTags } from './sqlite-tags.ts'
import { statements, type Statements } from './statements.ts'
import { SqliteUpstreams, type SqliteParts } from './sqlite-upstreams.ts'
import { SqliteWarm } from './sqlite-warm.ts'
import { SqliteWebhooks } from './sqlite-webhooks.ts'
import { Uses } from './uses.ts'
import { WalSync } from './wal-sync.ts'

/** How long a statement waits for another process's lock, in milliseconds. Short: the wait blocks the event loop. */
const busyTimeout = 250
/**
 * The log is moved into the database when it has this many pages of 4 KiB. The event loop waits for that, two syncs long: what
 * pushes write again and again, such as the pages of an index, is then moved once.
 */
const walPages = 3_000
/** The log is cut back to this after a checkpoint, in bytes, so that one burst does not keep the disk. */
const walLimit = 64 * 1024 * 1024

/** Opens (and makes or brings up to date) the database file. Throws when it cannot be opened or is of a newer version. */
export function sqliteMetadata(file: string): Metadata {
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new Database(file, { timeout: busyTimeout })
  database.pragma('journal_mode = WAL')
  // Enough for what can be fetched again: consistent after any crash, though a power loss may lose the last commits.
  // What was pushed cannot be: WalSync sees to that.
  database.pragma('synchronous = NORMAL')
  database.pragma('foreign_keys = ON')
  // What it notes to undo a part of a transaction would go to /var/tmp, which may be read-only.
  database.pragma('temp_store = MEMORY')
  database.pragma(`journal_size_limit = ${walLimit}`)
  database.pragma(`wal_autocheckpoint = ${walPages}`)
  migrate(database)
  return new SqliteMetadata(database, new WalSync(file))
}

class SqliteMetadata implements Metadata {
  readonly #database: Database.Database
  readonly #sql: Statements
  readonly #ids: RepositoryIds
  readonly #uses: Uses
  readonly #upstreams: SqliteUpstreams
  readonly #tags: SqliteTags
  readonly findTag: Metadata['findTag'] = (...given) => this.#tags.findTag(...given)
  readonly putTag: Metadata['putTag'] = (...given) => this.#tags.putTag(...given)
  readonly deleteTag: Metadata['deleteTag'] = (...given) => this.#tags.deleteTag(...given)
  readonly listTags: Metadata['listTags'] = (...given) => this.#tags.listTags(...given)
  readonly listAllTags: Metadata['listAllTags'] = () => this.#tags.listAllTags()
  readonly noteTag: Metadata['noteTag'] = (...given) => this.#upstreams.noteTag(...given)
  readonly tagHistory: Metadata['tagHistory'] = (...given) => this.#upstreams.tagHistory(...given)
  readonly tagsOf: Metadata['tagsOf'] = (...given) => this.#upstreams.tagsOf(...given)
  readonly listWithheld: Metadata['listWithheld'] = (...given) => this.#upstreams.listWithheld(...given)
  readonly withhold: Metadata['withhold'] = (...given) => this.#upstreams.withhold(...given)
  readonly release: Metadata['release'] = (...given) => this.#upstreams.release(...given)
  readonly findVisibility: Metadata['findVisibility'] = (...given) => this.#upstreams.findVisibility(...given)
  readonly putVisibility: Metadata['putVisibility'] = (...given) => this.#upstreams.putVisibility(...given)
  readonly findList: Metadata['findList'] = (...given) => this.#upstreams.findList(...given)
  readonly putList: Metadata['putList'] = (...given) => this.#upstreams.putList(...given)
  readonly #sync: WalSync
  readonly #writes: DurableWrites
  readonly #brief: BriefWrites
  readonly hosted: SqliteHosted
  readonly access: SqliteAccess
  readonly audit: SqliteAudit
  readonly browsing: SqliteBrowsing
  readonly descriptions: SqliteDescriptions
  readonly figures: SqliteFigures
  readonly pins: SqlitePins
  readonly signatures: SqliteSignatures
  readonly spending: SqliteSpending
  readonly warm: SqliteWarm
  readonly webhooks: SqliteWebhooks

  constructor(database: Database.Database, sync: WalSync) {
    this.#database = database
    this.#sync = sync
    const lock = new LockWait(database, busyTimeout)
    this.#writes = new DurableWrites({ database, lock, sync })
    this.#brief = new BriefWrites(lock, busyTimeout)
    const changes = new SqliteChanges(database)
    this.hosted = new SqliteHosted(database, this.#writes, changes)
    this.access = new SqliteAccess(database, this.#writes)
    this.audit = new SqliteAudit(database)
    this.descriptions = new SqliteDescriptions(database, this.#writes)
    const writing = (work: () => unknown) => this.#brief.run(work)
    this.browsing = new SqliteBrowsing(database, writing)
    this.figures = new SqliteFigures(database, writing)
    this.pins = new SqlitePins(database, writing)
    this.spending = new SqliteSpending(database, writing)
    this.#sql = statements(database)
    this.#ids = new RepositoryIds(this.#sql)
    const parts: SqliteParts = { database, sql: this.#sql, ids: this.#ids, write: writing }
    this.#upstreams = new SqliteUpstreams(parts)
    this.#tags = new SqliteTags(parts, changes)
    this.signatures = new SqliteSignatures(parts)
    this.warm = new SqliteWarm(database, this.#writes)
    this.webhooks = new SqliteWebhooks(database, this.#writes, changes)
    const write = database.transaction((uses: Map<string, number>) => {
      for (const [digest, at] of uses) {
        if (this.#sql.blobUsed.run(at, digest).changes === 0) this.#sql.manifestUsed.run(at, digest)
      }
    })
    this.#uses = new Uses((uses) => this.#brief.run(() => write(uses)))
  }

  async findManifest(repository: RepositoryKey, digest: Digest): Promise<ManifestRecord | undefined> {
    const id = this.#ids.find(repository)
    const row = id === undefined ? undefined : this.#sql.findManifest.get(id, digest)
    return row && { digest, mediaType: row.media_type, bytes: new Uint8Array(row.bytes) }
  }

  async putManifest(
    repository: RepositoryKey,
    manifest: ManifestRecord,
    refersTo: readonly Pick<Descriptor, 'digest' | 'size'>[],
    tag?: { tag: Tag; checkedAt: number },
  ): Promise<void> {
    const write = this.#database.transaction(() => {
      const id = this.#ids.of(repository)
      this.#sql.putManifest.run(manifest.digest, manifest.mediaType, manifest.bytes, Date.now())
      this.#sql.linkManifest.run(id, manifest.digest)
      for (const { digest, size } of refersTo) this.#sql.putBlobSize.run(id, digest, size)
      if (!tag) return
      this.#tags.putTagIn(id, repository, tag.tag, { digest: manifest.digest, checkedAt: tag.checkedAt })
      this.#upstreams.noteTagIn(id, tag.tag, manifest.digest, tag.checkedAt)
    })
    this.#brief.run(write)
  }

  async findBlobSize(repository: RepositoryKey, digest: Digest): Promise<number | undefined> {
    const id = this.#ids.find(repository)
    return id === undefined ? undefined : this.#sql.findBlobSize.get(id, digest)?.size
  }

  async putBlobSize(repository: RepositoryKey, digest: Digest, size: number): Promise<void> {
    this.#brief.run(() => this.#sql.putBlobSize.run(this.#ids.of(repository), digest, size))
  }

  async blobStored(digest: Digest, size: number, at: number): Promise<void> {
    this.#brief.run(() => this.#sql.blobStored.run({ digest, size, at }))
  }

  async blobRemoved(digest: Digest): Promise<void> {
    this.#brief.run(() => this.#sql.blobRemoved.run(digest))
  }

  async findStoredBlob(digest: Digest): Promise<StoredBlobRecord | undefined> {
    return stored(this.#sql.findStoredBlob.get(digest))
  }

  async listStoredBlobs(limit: number): Promise<StoredBlobRecord[]> {
    this.#uses.flush()
    return this.#sql.listStoredBlobs.all(limit).map((row) => stored(row)!)
  }

  async storedBytes(): Promise<number> {
    return this.#sql.storedBytes.get()?.bytes ?? 0
  }

  async nextToCheck(before: number): Promise<Digest | undefined> {
    return this.#sql.nextToCheck.get(before)?.digest as Digest | undefined
  }

  async blobChecked(digest: Digest, at: number): Promise<void> {
    this.#brief.run(() => this.#sql.blobChecked.run(at, digest))
  }

  evictableBytes(): Promise<number> {
    return this.storedBytes()
  }

  async listEvictableBlobs(limit: number): Promise<EvictionCandidate[]> {
    this.#uses.flush()
    return this.#sql.evictableBlobs.all(limit).map(candidate)
  }

  async manifestBytes(): Promise<number> {
    return this.#sql.manifestBytes.get()?.bytes ?? 0
  }

  async listEvictableManifests(limit: number): Promise<EvictionCandidate[]> {
    this.#uses.flush()
    return this.#sql.evictableManifests.all(limit).map(candidate)
  }

  async removeManifest(digest: Digest): Promise<void> {
    const remove = this.#database.transaction(() => {
      this.signatures.forgetIn(digest)
      this.#sql.removeTagsOf.run(digest)
      this.#sql.unlinkManifest.run(digest)
      this.#sql.removeManifest.run(digest)
    })
    this.#brief.run(remove)
  }

  used(digest: Digest, at: number): void {
    this.#uses.add(digest, at)
  }

  async close(): Promise<void> {
    this.#uses.flush()
    this.hosted.flush()
    this.browsing.flush()
    await this.#writes.settled()
    await this.#sync.close()
    this.#database.close()
  }
}

function candidate(row: {
  digest: string
  size: number
  used_at: number
  upstreams: string | null
}): EvictionCandidate {
  const upstreams = row.upstreams === null ? [] : row.upstreams.split(',')
  return { digest: row.digest as Digest, size: row.size, usedAt: row.used_at, upstreams }
}

function stored(row: { digest: string; size: number; used_at: number } | undefined): StoredBlobRecord | undefined {
  return row && { digest: row.digest as Digest, size: row.size, usedAt: row.used_at }
}

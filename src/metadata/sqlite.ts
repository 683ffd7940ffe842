import { mkdirSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { LRUCache } from 'lru-cache'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type {
  EvictionCandidate,
  ManifestRecord,
  Metadata,
  RepositoryKey,
  StoredBlobRecord,
  TagRecord,
} from './metadata.ts'
import { DurableWrites } from './durable-writes.ts'
import { isLocked, LockWait } from './lock-wait.ts'
import { migrate } from './migrate.ts'
import { SqliteAccess } from './sqlite-access.ts'
import { SqliteAudit } from './sqlite-audit.ts'
import { SqliteBrowsing } from './sqlite-browsing.ts'
import { SqliteDescriptions } from './sqlite-descriptions.ts'
import { SqliteFigures } from './sqlite-figures.ts'
import { SqliteHosted } from './sqlite-hosted.ts'
import { SqlitePins } from './sqlite-pins.ts'
import { SqliteSignatures } from './sqlite-signatures.ts'
import { SqliteSpending } from './sqlite-spending.ts'
import { statements, type Statements } from './statements.ts'
import { SqliteUpstreams, type SqliteParts } from './sqlite-upstreams.ts'
import { SqliteWebhooks } from './sqlite-webhooks.ts'
import { Uses } from './uses.ts'
import { WalSync } from './wal-sync.ts'

/** How long a statement waits for another process's lock, in milliseconds. Short: the wait blocks the event loop. */
const busyTimeout = 250
/** After a wait in vain, none waits for so long, in milliseconds: a lock that is kept costs one wait a while, not one a write. */
const busyPause = 1_000
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
  database.pragma(`journal_size_limit = ${walLimit}`)
  database.pragma(`wal_autocheckpoint = ${walPages}`)
  migrate(database)
  return new SqliteMetadata(database, new WalSync(file))
}

class SqliteMetadata implements Metadata {
  readonly #database: Database.Database
  readonly #sql: Statements
  readonly #ids = new LRUCache<string, number>({ max: 10_000 })
  readonly #uses: Uses
  readonly #upstreams: SqliteUpstreams
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
  readonly #lock: LockWait
  #impatientUntil = 0
  readonly #sync: WalSync
  readonly #writes: DurableWrites
  readonly hosted: SqliteHosted
  readonly access: SqliteAccess
  readonly audit: SqliteAudit
  readonly browsing: SqliteBrowsing
  readonly descriptions: SqliteDescriptions
  readonly figures: SqliteFigures
  readonly pins: SqlitePins
  readonly signatures: SqliteSignatures
  readonly spending: SqliteSpending
  readonly webhooks: SqliteWebhooks

  constructor(database: Database.Database, sync: WalSync) {
    this.#database = database
    this.#sync = sync
    this.#lock = new LockWait(database, busyTimeout)
    this.#writes = new DurableWrites({ database, lock: this.#lock, sync })
    this.hosted = new SqliteHosted(database, this.#writes)
    this.access = new SqliteAccess(database, this.#writes)
    this.audit = new SqliteAudit(database)
    this.descriptions = new SqliteDescriptions(database, this.#writes)
    const writing = (work: () => unknown) => this.#write(work)
    this.browsing = new SqliteBrowsing(database, writing)
    this.figures = new SqliteFigures(database, writing)
    this.pins = new SqlitePins(database, writing)
    this.spending = new SqliteSpending(database, writing)
    this.#sql = statements(database)
    const parts: SqliteParts = {
      database,
      sql: this.#sql,
      find: (repository) => this.#find(repository),
      idOf: (repository) => this.#idOf(repository),
      write: (work) => this.#write(work),
    }
    this.#upstreams = new SqliteUpstreams(parts)
    this.signatures = new SqliteSignatures(parts)
    this.webhooks = new SqliteWebhooks(database)
    const write = database.transaction((uses: Map<string, number>) => {
      for (const [digest, at] of uses) {
        if (this.#sql.blobUsed.run(at, digest).changes === 0) this.#sql.manifestUsed.run(at, digest)
      }
    })
    this.#uses = new Uses((uses) => this.#write(() => write(uses)))
  }

  async findTag(repository: RepositoryKey, tag: Tag): Promise<TagRecord | undefined> {
    const id = this.#find(repository)
    const row = id === undefined ? undefined : this.#sql.findTag.get(id, tag)
    return row && { digest: row.digest as Digest, checkedAt: row.checked_at }
  }

  async putTag(repository: RepositoryKey, tag: Tag, record: TagRecord): Promise<void> {
    this.#write(() => this.#sql.putTag.run(this.#idOf(repository), tag, record.digest, record.checkedAt))
  }

  async deleteTag(repository: RepositoryKey, tag: Tag): Promise<void> {
    const id = this.#find(repository)
    if (id !== undefined) this.#write(() => this.#sql.deleteTag.run(id, tag))
  }

  async listTags(repository: RepositoryKey): Promise<Tag[]> {
    const id = this.#find(repository)
    return id === undefined ? [] : this.#sql.listTags.all(id).map((row) => row.tag as Tag)
  }

  async findManifest(repository: RepositoryKey, digest: Digest): Promise<ManifestRecord | undefined> {
    const id = this.#find(repository)
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
      const id = this.#idOf(repository)
      this.#sql.putManifest.run(manifest.digest, manifest.mediaType, manifest.bytes, Date.now())
      this.#sql.linkManifest.run(id, manifest.digest)
      for (const { digest, size } of refersTo) this.#sql.putBlobSize.run(id, digest, size)
      if (!tag) return
      this.#sql.putTag.run(id, tag.tag, manifest.digest, tag.checkedAt)
      this.#upstreams.noteTagIn(id, tag.tag, manifest.digest, tag.checkedAt)
    })
    this.#write(write)
  }

  async findBlobSize(repository: RepositoryKey, digest: Digest): Promise<number | undefined> {
    const id = this.#find(repository)
    return id === undefined ? undefined : this.#sql.findBlobSize.get(id, digest)?.size
  }

  async putBlobSize(repository: RepositoryKey, digest: Digest, size: number): Promise<void> {
    this.#write(() => this.#sql.putBlobSize.run(this.#idOf(repository), digest, size))
  }

  async blobStored(digest: Digest, size: number, at: number): Promise<void> {
    this.#write(() => this.#sql.blobStored.run({ digest, size, at }))
  }

  async blobRemoved(digest: Digest): Promise<void> {
    this.#write(() => this.#sql.blobRemoved.run(digest))
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
    this.#write(() => this.#sql.blobChecked.run(at, digest))
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
    this.#write(remove)
  }

  async listAllTags(): Promise<(RepositoryKey & { tag: Tag; digest: Digest })[]> {
    return this.#sql.allTags.all() as (RepositoryKey & { tag: Tag; digest: Digest })[]
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

  /** Runs a writing statement or transaction. Throws SQLITE_BUSY when another process holds the lock for longer than a moment. */
  #write(work: () => unknown): void {
    this.#lock.set(Date.now() > this.#impatientUntil ? busyTimeout : 0)
    try {
      work()
    } catch (error) {
      if (this.#lock.milliseconds > 0 && isLocked(error)) this.#impatientUntil = Date.now() + busyPause
      throw error
    }
  }

  #find(repository: RepositoryKey): number | undefined {
    const key = `${repository.registry} ${repository.name}`
    const known = this.#ids.get(key) ?? this.#sql.findRepository.get(repository.registry, repository.name)?.id
    if (known !== undefined) this.#ids.set(key, known)
    return known
  }

  #idOf(repository: RepositoryKey): number {
    const known = this.#find(repository)
    if (known !== undefined) return known
    // Not remembered here: a transaction around this may still be rolled back.
    return this.#sql.addRepository.get(repository.registry, repository.name)!.id
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

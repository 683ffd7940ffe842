import type { Database } from 'better-sqlite3'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { RepositoryQuery, TagMoment, TagPage, TagQuery } from '../oci/registry.ts'
import { hostedStatements, type HostedStatements } from './hosted-statements.ts'
import type {
  Collected,
  CollectOrder,
  EarlierMeaning,
  HostedManifest,
  HostedMetadata,
  NamespaceUsage,
  PutResult,
  TagFacts,
  TagsToSet,
} from './hosted.ts'
import type { ManifestRecord } from './metadata.ts'
import type { DurableWrites } from './durable-writes.ts'
import type { SqliteChanges } from './sqlite-changes.ts'
import { collectIn } from './sqlite-collect.ts'
import { putManifestIn } from './sqlite-put-manifest.ts'
import { SqliteTagHistory } from './sqlite-tag-history.ts'
import { Uses } from './uses.ts'
import type { TagChange } from './webhooks.ts'

type HostedTagChange = Extract<TagChange, { type: 'tag-pushed' | 'tag-deleted' }>

interface Deletion {
  readonly digest: Digest
  readonly at: number
  readonly by: string | undefined
}

/** Larger than any page that is asked for. */
const all = 2 ** 31

export class SqliteHosted implements HostedMetadata {
  readonly #database: Database
  readonly #sql: HostedStatements
  readonly #writes: DurableWrites
  readonly #touches: Uses
  readonly #changes: SqliteChanges
  readonly #history: SqliteTagHistory

  constructor(database: Database, writes: DurableWrites, changes: SqliteChanges) {
    this.#database = database
    this.#changes = changes
    this.#sql = hostedStatements(database)
    this.#history = new SqliteTagHistory(database)
    this.#writes = writes
    const touch = database.transaction((touches: Map<string, number>) => this.#touch(touches))
    this.#touches = new Uses((touches) => writes.attempt(() => touch(touches)))
  }

  async listNamespaces(): Promise<string[]> {
    return this.#sql.listNamespaces.all().map((row) => row.name)
  }

  addNamespace(name: string, at: number): Promise<boolean> {
    return this.#writes.run(() => this.#sql.addNamespace.run(name, at).changes > 0)
  }

  removeNamespace(name: string): Promise<{ repositories: number } | undefined> {
    return this.#writes.run(() => {
      if (!this.#sql.findNamespace.get(name)) return undefined
      const repositories = this.#sql.countRepositories.get(name)!.count
      if (repositories > 0) return { repositories }
      this.#sql.removeNamespace.run(name)
      this.#history.forgetNamespace(name)
      return { repositories }
    })
  }

  async usage(namespace: string): Promise<NamespaceUsage> {
    return this.#sql.usage.get(namespace) ?? { bytes: 0, tags: 0 }
  }

  async hasRepository(name: RepositoryName): Promise<boolean> {
    return this.#sql.findRepository.get(name) !== undefined
  }

  async listRepositories({ n, last }: RepositoryQuery): Promise<RepositoryName[]> {
    return this.#sql.listRepositories.all(last ?? '', n).map((row) => row.name as RepositoryName)
  }

  async allRepositories(): Promise<RepositoryName[]> {
    return this.#sql.allRepositories.all().map((row) => row.name as RepositoryName)
  }

  // Sessions need not survive a power loss: the client begins anew.
  async putUpload(id: string, name: RepositoryName, at: number): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.putUpload.run(id, name, at))
  }

  async findUpload(id: string): Promise<{ name: RepositoryName; createdAt: number } | undefined> {
    return this.#sql.findUpload.get(id) as { name: RepositoryName; createdAt: number } | undefined
  }

  async deleteUpload(id: string): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.deleteUpload.run(id))
  }

  async findBlobSize(name: RepositoryName, digest: Digest): Promise<number | undefined> {
    return this.#sql.findBlob.get(name, digest)?.size
  }

  putBlob(name: RepositoryName, digest: Digest, size: number, at: number): Promise<void> {
    return this.#writes.run(() => {
      this.#sql.putBlob.run(this.#idOf(name), digest, size, at)
      this.#sql.storeBlob.run({ digest, size, at })
    })
  }

  deleteBlob(name: RepositoryName, digest: Digest): Promise<boolean> {
    return this.#writes.run(() => this.#sql.deleteBlob.run(name, digest).changes > 0)
  }

  async listHolders(digest: Digest): Promise<{ name: RepositoryName; size: number }[]> {
    return this.#sql.listHolders.all(digest) as { name: RepositoryName; size: number }[]
  }

  releaseBlob(digest: Digest): Promise<boolean> {
    return this.#writes.run(() => this.#sql.releaseBlob.run(digest, digest, digest).changes > 0)
  }

  async listUnheldBlobs(): Promise<Digest[]> {
    return this.#sql.unheldBlobs.all().map((row) => row.digest as Digest)
  }

  async hasManifest(name: RepositoryName, digest: Digest): Promise<boolean> {
    const id = this.#find(name)
    return id !== undefined && this.#sql.hasManifest.get(id, digest) !== undefined
  }

  async findManifest(name: RepositoryName, digest: Digest): Promise<ManifestRecord | undefined> {
    const row = this.#sql.findManifest.get(name, digest)
    return row && { digest, mediaType: row.media_type, bytes: new Uint8Array(row.bytes) }
  }

  async findSubject(name: RepositoryName, digest: Digest): Promise<Digest | undefined> {
    return (this.#sql.findSubject.get(name, digest)?.subject ?? undefined) as Digest | undefined
  }

  putManifest(name: RepositoryName, manifest: HostedManifest, tags: TagsToSet, at: number): Promise<PutResult> {
    return this.#writes.run(() => {
      const push = { manifest, tags, at, history: this.#history }
      const result = putManifestIn(this.#sql, name, this.#idOf(name), push)
      const change = { type: 'tag-pushed', repository: name, digest: manifest.digest } as const
      if ('done' in result && !tags.silent) this.#note(tags.tags, change, at)
      return result
    })
  }

  deleteManifest(name: RepositoryName, digest: Digest, at: number, by?: string): Promise<boolean> {
    return this.#writes.run(() => {
      const id = this.#find(name)
      if (id === undefined || !this.#sql.hasManifest.get(id, digest)) return false
      // What it listed loses its hold here; somebody may be pulling it.
      this.#sql.touchChildren.run(at, id, id, digest)
      const tags = this.#sql.listTagsOf.all(name, digest).map(({ tag }) => tag as Tag)
      this.#noteDeleted(name, tags, { digest, at, by })
      this.#sql.deleteTagsOf.run(id, digest)
      this.#sql.deleteReferences.run(id, digest)
      this.#sql.deleteManifest.run(id, digest)
      return true
    })
  }

  async listReferrers(name: RepositoryName, subject: Digest): Promise<Descriptor[]> {
    return this.#sql.listReferrers.all(name, subject).map((row) => ({
      mediaType: row.media_type,
      digest: row.digest as Digest,
      size: row.size,
      ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
      ...(row.annotations !== null && { annotations: JSON.parse(row.annotations) as Record<string, string> }),
    }))
  }

  async findTag(name: RepositoryName, tag: Tag): Promise<Digest | undefined> {
    return this.#sql.findTag.get(name, tag)?.digest as Digest | undefined
  }

  deleteTag(name: RepositoryName, tag: Tag, at: number, by?: string): Promise<boolean> {
    return this.#writes.run(() => {
      const meant = this.#sql.findTag.get(name, tag)
      if (!meant) return false
      this.#sql.touchManifest.run(at, name, meant.digest)
      this.#noteDeleted(name, [tag], { digest: meant.digest as Digest, at, by })
      return this.#sql.deleteTag.run(this.#find(name)!, tag).changes > 0
    })
  }

  async listTags(name: RepositoryName, { n, last }: TagQuery): Promise<TagPage> {
    const found = this.#sql.listTags.all(name, last ?? '', n === undefined ? all : n + 1)
    const tags = found.slice(0, n).map((row) => row.tag as Tag)
    return { tags, more: tags.length > 0 && tags.length < found.length }
  }

  async listTagsOf(name: RepositoryName, digest: Digest): Promise<Tag[]> {
    return this.#sql.listTagsOf.all(name, digest).map((row) => row.tag as Tag)
  }

  async listTagFacts(name: RepositoryName): Promise<TagFacts[]> {
    return this.#sql.listTagFacts
      .all(name)
      .map((row) => ({ tag: row.tag as Tag, digest: row.digest as Digest, pushedAt: row.pushed_at }))
  }

  async tagHistory(name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    return this.#history.list(name, tag)
  }

  async listEarlier(name: RepositoryName): Promise<EarlierMeaning[]> {
    const id = this.#find(name)
    return id === undefined ? [] : this.#history.earlier(name, id)
  }

  async listDeletedTags(name: RepositoryName, limit: number): Promise<{ tag: Tag; deletedAt: number }[]> {
    return this.#history.deleted(name, limit)
  }

  async expireTagHistory(before: number): Promise<number> {
    return this.#writes.unsynced(() => this.#history.expire(before))
  }

  touched(name: RepositoryName, digest: Digest, at: number): void {
    this.#touches.add(`${name}@${digest}`, at)
  }

  async collect(name: RepositoryName, order: CollectOrder): Promise<Collected> {
    return this.#writes.unsynced(() => {
      // What was touched a moment ago must not go.
      this.#touches.write()
      const id = this.#find(name)
      if (id === undefined) return { tags: [], manifests: [], blobs: [] }
      return collectIn({ database: this.#database, sql: this.#sql, history: this.#history }, { name, id }, order)
    })
  }

  async forgetIfEmpty(name: RepositoryName): Promise<void> {
    await this.#writes.unsynced(() => this.#sql.forgetRepository.run(name))
  }

  flush(): void {
    this.#touches.flush()
  }

  /** Tags that somebody deletes, which meant `digest`: for receivers, and for their history. */
  #noteDeleted(name: RepositoryName, tags: readonly Tag[], { digest, at, by }: Deletion): void {
    this.#note(tags, { type: 'tag-deleted', repository: name, digest }, at)
    for (const tag of tags) this.#history.note(name, tag, { digest: undefined, at, by })
  }

  #note(tags: readonly Tag[], change: Omit<HostedTagChange, 'tag'>, at: number): void {
    for (const tag of tags) this.#changes.note({ ...change, tag }, at)
  }

  #touch(touches: Map<string, number>): void {
    for (const [key, at] of touches) {
      const [name, digest] = key.split('@') as [string, string]
      this.#sql.touchBlob.run(at, name, digest)
      this.#sql.touchManifest.run(at, name, digest)
    }
  }

  #find(name: RepositoryName): number | undefined {
    return this.#sql.findRepository.get(name)?.id
  }

  #idOf(name: RepositoryName): number {
    return this.#find(name) ?? this.#sql.addRepository.get(name.split('/', 1)[0]!, name)!.id
  }
}

// Facts: which repositories, tags and manifests there are, which blobs they refer to, and when things were used.
// Manifests live here too: they are small, and a tag, its manifest and what it refers to become visible together.
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { TagMoment } from '../oci/registry.ts'
import type { AccessMetadata } from './access.ts'
import type { AuditMetadata } from './audit.ts'
import type { Browsing } from './browsing.ts'
import type { DescriptionMetadata } from './descriptions.ts'
import type { FiguresMetadata } from './figures.ts'
import type { HostedMetadata } from './hosted.ts'
import type { Pins } from './pins.ts'
import type { SignatureMetadata } from './signatures.ts'
import type { SpendingMetadata } from './spending.ts'
import type { WarmMetadata } from './warm.ts'
import type { WebhookMetadata } from './webhooks.ts'

export type * from './access.ts'
export type * from './audit.ts'
export type * from './browsing.ts'
export type * from './descriptions.ts'
export type * from './figures.ts'
export type * from './hosted.ts'
export type * from './pins.ts'
export type * from './signatures.ts'
export type * from './spending.ts'
export type * from './warm.ts'
export type * from './webhooks.ts'

/** A repository's place: the registry it belongs to (an upstream's name) and its name there. */
export interface RepositoryKey {
  readonly registry: string
  readonly name: RepositoryName
}

export interface TagRecord {
  readonly digest: Digest
  /** When the upstream last said so, in milliseconds since 1970. */
  readonly checkedAt: number
}

export interface ManifestRecord {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface StoredBlobRecord {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly usedAt: number
}

/** Something cached that may be evicted. */
export interface EvictionCandidate {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly usedAt: number
  /** Whose repositories refer to it. */
  readonly upstreams: readonly string[]
}

export interface WithheldRecord {
  readonly digest: Digest
  /** The tag that came to mean it. */
  readonly tag: Tag
  /** Milliseconds since 1970. */
  readonly until: number
}

export interface VisibilityRecord {
  readonly public: boolean
  readonly checkedAt: number
}

/** A list an upstream gave, as JSON; `subject` is a digest, or empty where there is one list a repository. */
export interface ListKey {
  readonly kind: 'tags' | 'referrers'
  readonly subject: string
}

export interface Metadata {
  /** What is hosted here, apart from all that follows, which is known of upstreams. */
  readonly hosted: HostedMetadata
  /** Accounts and their rights. */
  readonly access: AccessMetadata
  /** Who did what. */
  readonly audit: AuditMetadata
  /** What people look for, hosted and cached alike. */
  readonly browsing: Browsing
  /** What repositories are, for people. */
  readonly descriptions: DescriptionMetadata
  readonly figures: FiguresMetadata
  readonly pins: Pins
  /** What was found out of signatures of upstreams' content. */
  readonly signatures: SignatureMetadata
  /** On whose behalf pulls were spent. */
  readonly spending: SpendingMetadata
  /** What was fetched ahead of being wanted. */
  readonly warm: WarmMetadata
  /** What other systems are still to be told. */
  readonly webhooks: WebhookMetadata

  findTag(repository: RepositoryKey, tag: Tag): Promise<TagRecord | undefined>
  putTag(repository: RepositoryKey, tag: Tag, record: TagRecord): Promise<void>
  deleteTag(repository: RepositoryKey, tag: Tag): Promise<void>
  /** In lexical order. */
  listTags(repository: RepositoryKey): Promise<Tag[]>

  /** Notes what the upstream says a tag means, and returns since when it is known to have said so without a break. */
  noteTag(repository: RepositoryKey, tag: Tag, digest: Digest, at: number): Promise<number>
  /** Every meaning a tag has had, newest first. */
  tagHistory(repository: RepositoryKey, tag: Tag): Promise<TagMoment[]>
  /** Every tag that means this digest, or did. */
  tagsOf(repository: RepositoryKey, digest: Digest): Promise<Tag[]>

  listWithheld(repository: RepositoryKey): Promise<WithheldRecord[]>
  withhold(repository: RepositoryKey, records: readonly WithheldRecord[]): Promise<void>
  release(repository: RepositoryKey, digests: readonly Digest[]): Promise<void>

  findVisibility(repository: RepositoryKey): Promise<VisibilityRecord | undefined>
  putVisibility(repository: RepositoryKey, record: VisibilityRecord): Promise<void>

  findList(repository: RepositoryKey, key: ListKey): Promise<{ json: string; checkedAt: number } | undefined>
  putList(repository: RepositoryKey, key: ListKey, json: string, checkedAt: number): Promise<void>

  /** A manifest that this repository is known to hold. */
  findManifest(repository: RepositoryKey, digest: Digest): Promise<ManifestRecord | undefined>
  /** Keeps a manifest, that the repository holds it, and that it refers to these blobs; with a tag, that and what it means (noteTag) too: all or nothing. */
  putManifest(
    repository: RepositoryKey,
    manifest: ManifestRecord,
    refersTo: readonly Pick<Descriptor, 'digest' | 'size'>[],
    tag?: { tag: Tag; checkedAt: number },
  ): Promise<void>

  /** The size of a blob that this repository is known to hold. */
  findBlobSize(repository: RepositoryKey, digest: Digest): Promise<number | undefined>
  /** Notes that a repository holds a blob of `size` bytes. */
  putBlobSize(repository: RepositoryKey, digest: Digest, size: number): Promise<void>

  /** Notes that the store holds a blob; before it counts as cached. */
  blobStored(digest: Digest, size: number, at: number): Promise<void>
  blobRemoved(digest: Digest): Promise<void>
  findStoredBlob(digest: Digest): Promise<StoredBlobRecord | undefined>
  /** Least recently used first; without those that a hosted repository holds. */
  listStoredBlobs(limit: number): Promise<StoredBlobRecord[]>
  /** Bytes of all stored blobs but those that a hosted repository holds. */
  storedBytes(): Promise<number>
  /** The stored blob whose bytes were compared with its digest longest ago, if that was before `before`. */
  nextToCheck(before: number): Promise<Digest | undefined>
  blobChecked(digest: Digest, at: number): Promise<void>

  /** Bytes of stored blobs that may be evicted. */
  evictableBytes(): Promise<number>
  /** Stored blobs that may be evicted, least recently used first. */
  listEvictableBlobs(limit: number): Promise<EvictionCandidate[]>
  manifestBytes(): Promise<number>
  /** Cached manifests, least recently used first. */
  listEvictableManifests(limit: number): Promise<EvictionCandidate[]>
  /** Removes a cached manifest everywhere, and the tags that mean it. */
  removeManifest(digest: Digest): Promise<void>
  /** Every tag that is cached. */
  listAllTags(): Promise<(RepositoryKey & { tag: Tag; digest: Digest })[]>
  /** Notes a use; written in batches, so that a pull never waits for it. A crash may lose the last seconds of these. */
  used(digest: Digest, at: number): void

  close(): Promise<void>
}

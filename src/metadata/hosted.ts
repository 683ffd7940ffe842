import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { RepositoryQuery, TagMoment, TagPage, TagQuery } from '../oci/registry.ts'
import type { ManifestRecord } from './metadata.ts'

/** A manifest as it is put into a repository, with all that the repository must hold for it. */
export interface HostedManifest extends ManifestRecord {
  readonly artifactType: string | undefined
  readonly annotations: Record<string, string> | undefined
  readonly subject: Digest | undefined
  /** Must be there as blobs of these sizes. */
  readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[]
  /** Must be there as manifests, or as blobs, which BuildKit's cache lists in the same place. */
  readonly children: readonly Digest[]
  /** May be there: layers that clients fetch from elsewhere. */
  readonly optional: readonly Digest[]
}

export interface TagsToSet {
  readonly tags: readonly Tag[]
  /** Whether a tag, once set, may not be set to anything else. */
  readonly immutable: (tag: Tag) => boolean
  /** The most tags the namespace may have. */
  readonly maxTags: number
  /** Nobody is to be told of it: what keeps itself in step is no push. */
  readonly silent?: true
  /** The user who sets them. */
  readonly by?: string | undefined
}

/** Why a manifest was not put, if it was not; nothing is changed then. */
export type PutResult =
  | { done: true }
  | { missing: Digest[] }
  | { wrongSize: Digest; size: number; stored: number }
  | { immutable: Tag }
  | { tooManyTags: number }

export interface TagFacts {
  readonly tag: Tag
  readonly digest: Digest
  readonly pushedAt: number
}

/** What a tag meant before. */
export interface EarlierMeaning {
  readonly tag: Tag
  readonly digest: Digest
}

export interface NamespaceUsage {
  /** Of all its blobs and manifests, each blob counted once. */
  readonly bytes: number
  readonly tags: number
}

export interface CollectOrder {
  /** When it is done. */
  readonly at: number
  /** Tags to remove, if they still mean this digest. */
  readonly tags: readonly TagFacts[]
  /** A manifest whose tag goes counts as touched then at the earliest: whoever is pulling it has some time left. */
  readonly untagAs: number
  /** Manifests that nothing reaches go when they were touched before this. */
  readonly manifestsBefore: number
  /** Manifests that stay though nothing reaches them. */
  readonly keep?: readonly Digest[]
  /** Blobs that no manifest names go when they were touched before this. */
  readonly blobsBefore: number
  /** Tells what would go, and changes nothing. */
  readonly dryRun: boolean
}

export interface Collected {
  readonly tags: readonly Tag[]
  readonly manifests: readonly { digest: Digest; size: number }[]
  readonly blobs: readonly { digest: Digest; size: number }[]
}

/**
 * What is hosted: namespaces and the repositories in them. When a writing method's promise resolves, what it wrote survives
 * a power loss. All times are in milliseconds since 1970.
 */
export interface HostedMetadata {
  listNamespaces(): Promise<string[]>
  /** False when it is there already. */
  addNamespace(name: string, at: number): Promise<boolean>
  /** Tells how many repositories are in the way; removes it when none are. Undefined when there is no such namespace. */
  removeNamespace(name: string): Promise<{ repositories: number } | undefined>
  usage(namespace: string): Promise<NamespaceUsage>

  hasRepository(name: RepositoryName): Promise<boolean>
  /** Those with a manifest. */
  listRepositories(query: RepositoryQuery): Promise<RepositoryName[]>
  /** All there are, also empty ones. */
  allRepositories(): Promise<RepositoryName[]>

  putUpload(id: string, name: RepositoryName, at: number): Promise<void>
  findUpload(id: string): Promise<{ name: RepositoryName; createdAt: number } | undefined>
  deleteUpload(id: string): Promise<void>

  findBlobSize(name: RepositoryName, digest: Digest): Promise<number | undefined>
  putBlob(name: RepositoryName, digest: Digest, size: number, at: number): Promise<void>
  /** False when it was not there. */
  deleteBlob(name: RepositoryName, digest: Digest): Promise<boolean>
  /** The repositories that hold a blob. */
  listHolders(digest: Digest): Promise<{ name: RepositoryName; size: number }[]>
  /** Forgets that a blob is stored, if no repository holds it and no upstream's may: then its file can be removed. */
  releaseBlob(digest: Digest): Promise<boolean>
  /** Stored blobs that no repository holds, hosted or of an upstream. */
  listUnheldBlobs(): Promise<Digest[]>

  hasManifest(name: RepositoryName, digest: Digest): Promise<boolean>
  findManifest(name: RepositoryName, digest: Digest): Promise<ManifestRecord | undefined>
  /** The subject of a manifest that is here and has one. */
  findSubject(name: RepositoryName, digest: Digest): Promise<Digest | undefined>
  putManifest(name: RepositoryName, manifest: HostedManifest, tags: TagsToSet, at: number): Promise<PutResult>
  /** Removes it with every tag that means it; false when it was not there. `by`: the user who does it. */
  deleteManifest(name: RepositoryName, digest: Digest, at: number, by?: string): Promise<boolean>
  /** In the order they were pushed. */
  listReferrers(name: RepositoryName, subject: Digest): Promise<Descriptor[]>

  findTag(name: RepositoryName, tag: Tag): Promise<Digest | undefined>
  deleteTag(name: RepositoryName, tag: Tag, at: number, by?: string): Promise<boolean>
  listTags(name: RepositoryName, query: TagQuery): Promise<TagPage>
  /** The tags of a manifest. */
  listTagsOf(name: RepositoryName, digest: Digest): Promise<Tag[]>
  /** Every tag, the one pushed last first. */
  listTagFacts(name: RepositoryName): Promise<TagFacts[]>
  /** Every meaning a tag had, and its deletions, newest first. It outlives the tag, its manifests and the repository. */
  tagHistory(name: RepositoryName, tag: Tag): Promise<TagMoment[]>
  /** What tags that are there meant before what they mean now; of each tag the newest first. */
  listEarlier(name: RepositoryName): Promise<EarlierMeaning[]>
  /** Tags that were deleted and not set again, the last one first. */
  listDeletedTags(name: RepositoryName, limit: number): Promise<{ tag: Tag; deletedAt: number }[]>
  /** Forgets the history of tags that were deleted before this, and not set again. Returns how much of it went. */
  expireTagHistory(before: number): Promise<number>

  /** Notes that a client was told of a blob or pulled a manifest: it may be about to build on it. Written in batches. */
  touched(name: RepositoryName, digest: Digest, at: number): void
  /** Removes from one repository what nothing reaches: not a tag, an index, a subject or a referrer of something reached. */
  collect(name: RepositoryName, order: CollectOrder): Promise<Collected>
  /** Forgets a repository in which nothing is left. */
  forgetIfEmpty(name: RepositoryName): Promise<void>
}

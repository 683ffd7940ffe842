import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

/** A repository as lists show it. Times are in milliseconds since 1970. */
export interface ListedRepository {
  /** Its one name here: `docker.io/library/node`, `alice/app`. */
  readonly name: RepositoryName
  /** The upstream it is cached from; undefined where it is hosted here. */
  readonly registry: string | undefined
  /** How many tags are here. */
  readonly tags: number
  /** How often a tag of it was asked for. */
  readonly pulls: number
  readonly pulledAt: number | undefined
  /** When a tag was pushed last, or was first seen to mean what it means now. */
  readonly updatedAt: number | undefined
  /** What it is, in one line of a list. */
  readonly description: string | undefined
}

export interface RepositorySearch {
  /** All of these, in lower case, are somewhere in the name or the description. Those whose name has them all come first. */
  readonly words: readonly string[]
  readonly order: 'name' | 'pulls' | 'updated'
  readonly limit: number
  readonly offset: number
}

/** A tag as lists show it. */
export interface ListedTag {
  readonly tag: Tag
  readonly digest: Digest
  /** When it was pushed, or was first seen to mean this. */
  readonly updatedAt: number | undefined
  /** When the upstream last said so; undefined where it is hosted. */
  readonly checkedAt: number | undefined
  /** What the upstream was last heard to say instead. */
  readonly movedTo: Digest | undefined
  /** Whether it means its digest because somebody pinned it to that. */
  readonly isPinned: boolean
  readonly pulls: number
  readonly pulledAt: number | undefined
}

export interface TagSearch {
  /** Is somewhere in the tag, in either case. */
  readonly text: string
  readonly order: 'name' | 'updated' | 'pulled' | 'pulls'
  readonly descending: boolean
  readonly limit: number
  readonly offset: number
}

export interface TagList {
  readonly tags: readonly ListedTag[]
  /** How many there are without limit and offset. */
  readonly total: number
}

/** Cached blobs of one upstream. What several upstreams name counts at each. */
export interface KeptBytes {
  readonly registry: string
  readonly bytes: number
  readonly blobs: number
}

/**
 * Reading for people who look around: hosted and cached alike, by whole names. Nothing here asks who may see what it
 * returns: the caller does.
 */
export interface Browsing {
  /** Those with a manifest. */
  listRepositories(search: RepositorySearch): Promise<ListedRepository[]>
  findRepository(name: RepositoryName): Promise<ListedRepository | undefined>
  listTags(name: RepositoryName, search: TagSearch): Promise<TagList>
  findTag(name: RepositoryName, tag: Tag): Promise<ListedTag | undefined>
  /** Which of these manifests are here. */
  heldAmong(name: RepositoryName, digests: readonly Digest[]): Promise<Set<Digest>>
  /** The tag that stands for a repository: latest, else the one that was pushed last, or seen to move last. */
  findMainTag(name: RepositoryName): Promise<ListedTag | undefined>
  /** The bytes of a manifest that is here. */
  findManifest(name: RepositoryName, digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Bytes of all blobs that a repository names and the store holds, each once. */
  storedBytesOf(name: RepositoryName): Promise<number>
  /** Which of these blobs the store holds. */
  storedAmong(digests: readonly Digest[]): Promise<Set<Digest>>
  /** Blobs that a cached repository names and the store holds. */
  storedOf(name: RepositoryName): Promise<Digest[]>
  keptByUpstream(): Promise<KeptBytes[]>
  /** A repository of an upstream that names a blob; one of them where there are several. */
  findHolder(digest: Digest): Promise<RepositoryName | undefined>
  /** Notes that a tag was asked for; written in batches. A crash may lose the last seconds of these. */
  pulled(name: RepositoryName, tag: Tag, at: number): void
}

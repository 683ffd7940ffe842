import type { Descriptor } from './descriptor.ts'
import type { Digest } from './digest.ts'
import type { ByteRange } from './range.ts'
import type { Reference, RepositoryName, Tag } from './reference.ts'

/** What a HEAD of a manifest tells. */
export interface ManifestHead {
  readonly digest: Digest
  readonly mediaType: string
  /** Bytes. */
  readonly size: number
}

/** A manifest, byte for byte as it was pushed. */
export interface Manifest extends ManifestHead {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Set when it could not be checked that this is still what the tag means. */
  readonly stale?: Staleness
}

export interface Staleness {
  /** When it was last known to be right, in milliseconds since 1970. */
  readonly since: number
  /** Why it could not be checked, in words that a client may see. */
  readonly reason: string
}

/** What a HEAD of a blob tells; `size` is undefined where an upstream does not say it before the end. */
export interface BlobHead {
  readonly digest: Digest
  readonly size: number | undefined
}

/**
 * A blob, or a range of one, open for reading once from front to back. Whoever got it closes it.
 * Bytes are right when `read` has returned 0: a wrong or broken blob rejects before its last bytes.
 */
export interface Blob extends BlobHead {
  /** What `read` delivers; undefined when the size is. */
  readonly range: ByteRange | undefined
  /** The content, where all of it is in memory and asked for. */
  readonly whole?: Uint8Array<ArrayBuffer> | undefined
  /** All of it is here already: reading it asks no upstream. */
  readonly isKept?: boolean
  /** What an upstream calls this state of the content (ETag); two ranges of one blob must agree on it. */
  readonly validator?: string | undefined
  /** Fills the front of `into` with at least one byte and returns how many; 0 at the end. Rejects with an UpstreamError or RegistryError. */
  read(into: Uint8Array): Promise<number>
  /**
   * Instead of `read`, for what comes in on another thread: what has come next, without bringing it to this one; undefined at
   * the end. Rejects as `read` does.
   */
  arrival?(): Promise<Arrival | undefined>
  /**
   * Instead of `read`, for who sends the bytes on at once: what comes next, in memory that other readers of the blob see as
   * well. Undefined where there is nothing to share; `read` then tells why, and goes on from the same place.
   */
  borrow?(): Promise<Lent | undefined>
  close(): void
}

/** Bytes that belong to somebody else: nobody changes them, and whoever has them gives them back soon, by `release`, once. */
export interface Lent {
  readonly bytes: Buffer<ArrayBuffer>
  readonly release: () => void
}

/** Bytes that have come, and lie on another thread. They are there until more of their blob is asked for. */
export interface Arrival {
  /** Bytes, at least one. */
  readonly length: number
  subarray(start: number, end: number): Arrival
  /** Writes all of it at `position` into an open file. Rejects with the file system's error. Once it was called, the file may be closed only after it has settled. */
  write(file: number, position: number): Promise<void>
}

export interface TagPage {
  readonly tags: Tag[]
  /** True when there are tags after the last one of this page. */
  readonly more: boolean
}

export interface TagQuery {
  /** At most this many; undefined leaves it to the registry. */
  n?: number
  /** Only tags after this one, in lexical order. */
  last?: string
}

export interface Referrers {
  readonly descriptors: Descriptor[]
}

/** An answer at once where it is in memory, else a promise of it: warm manifests are answered without waiting a turn. */
export type Soon<T> = T | Promise<T>

/** Who asks, and how. What Berth asks for its own sake has no asker. */
export interface Asker {
  /** A user's name, else a network address: spending at upstreams is charged to it. */
  readonly caller: string | undefined
  /** Whether what is cached is to be checked first, however fresh (Cache-Control: no-cache). */
  readonly noCache: boolean
  /** Whether it may read what its upstream shows only to our credentials. */
  readonly mayReadPrivate: PrivateRight
  /** Nobody waits for the content: people's pulls go first, and it is wanted only if it can be kept. */
  readonly background?: boolean
}

/** `after login`: not as nobody, but perhaps as somebody. */
export type PrivateRight = 'granted' | 'denied' | 'after login'

/**
 * A registry that can be pulled from. Names are those of this registry: rooms that pick one strip what picked it.
 * What does not exist throws a RegistryError with status 404 and the specification's code; an upstream that fails throws an UpstreamError.
 */
export interface RegistryReader {
  /** end-3 (GET manifest). */
  getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest>
  /** end-3 (HEAD manifest). A registry that had to fetch the manifest to answer returns the whole of it. */
  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<ManifestHead | Manifest>
  /**
   * end-2 (GET blob). `range` must begin within the blob; an end of Infinity stands for the blob's. A registry without ranges, or an upstream that sends less,
   * says in `Blob.range` what it delivers instead; a cached or hosted one delivers what was asked.
   */
  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Soon<Blob>
  /** end-2 (HEAD blob). */
  headBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead>
  /** end-8a, end-8b. */
  listTags(name: RepositoryName, query: TagQuery, asker?: Asker): Promise<TagPage>
  /** end-12a. An unknown digest has no referrers. */
  listReferrers(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Referrers>
  /** Every meaning a tag was seen to have, newest first; for registries that keep them. */
  tagHistory?(name: RepositoryName, tag: Tag, asker?: Asker): Promise<TagMoment[]>
}

/** One meaning of a tag. */
export interface TagMoment {
  /** Undefined where the tag was deleted. */
  readonly digest: Digest | undefined
  /** Since when, or when that was first seen, in milliseconds since 1970. */
  readonly seenAt: number
  /** The user who did it, where that is known. */
  readonly by?: string | undefined
}

/** A registry elsewhere that is asked for what is not here. */
export interface RegistrySource extends RegistryReader {
  /** Whether the pulls are nearly spent that a question would be asked with: an answer that is a little old is then better. */
  isSparing?(name: RepositoryName, asker?: Asker): boolean
}

/** How far an upload session has come. */
export interface UploadState {
  readonly session: string
  /** Bytes received so far. */
  readonly size: number
}

/** Part of a blob as it arrives. Whoever takes it reads it to its end or not at all. */
export interface UploadBody {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Bytes, where the client has said how many. */
  readonly size: number | undefined
  /** Where the client says it begins. Anything but the session's size is refused with RANGE_INVALID; undefined goes on where it stands. */
  readonly start: number | undefined
  /** Breaks the transfer off: the client has begun anew over another connection. */
  cancel(): void
}

/** A manifest as it was sent, with the digest or the tags it is to have. */
export interface ManifestPush {
  readonly reference: Reference
  /** More tags for the same manifest. */
  readonly tags: readonly Tag[]
  /** The Content-Type without parameters; empty when there was none. */
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The user who pushes, for the history of tags. */
  readonly by?: string | undefined
}

export interface PushedManifest {
  readonly digest: Digest
  readonly subject: Digest | undefined
}

export interface RepositoryQuery {
  n: number
  /** Only names after this one, in lexical order. */
  last?: string
}

/**
 * What a registry that can be pushed to does besides. What it has acknowledged survives a crash and a power loss.
 * A registry that takes no pushes throws DENIED, and says what to do instead.
 */
export interface RegistryWriter {
  /** end-4a: opens an upload session. `size`, where known, is refused at once when there is no room for it. */
  openUpload(name: RepositoryName, size?: number): Promise<UploadState>
  /** end-13. Throws BLOB_UPLOAD_UNKNOWN. */
  uploadState(name: RepositoryName, session: string): Promise<UploadState>
  /** end-5. What came before the body broke off is kept. */
  appendUpload(name: RepositoryName, session: string, body: UploadBody): Promise<UploadState>
  /** end-6: the repository then holds the blob. Throws DIGEST_INVALID, and drops the session, when the bytes are not what the digest says. */
  finishUpload(name: RepositoryName, session: string, digest: Digest, body?: UploadBody): Promise<void>
  /** end-14 */
  cancelUpload(name: RepositoryName, session: string): Promise<void>
  /** end-11: lets the repository hold a blob that another one holds which may be read. False when there is none. */
  mountBlob(name: RepositoryName, digest: Digest, mayRead: (source: RepositoryName) => boolean): Promise<boolean>
  /** end-7a, end-7b */
  putManifest(name: RepositoryName, push: ManifestPush): Promise<PushedManifest>
  /** end-9: a tag alone, or a manifest with every tag that names it. `by`: the user who does it, for the history of tags. */
  deleteManifest(name: RepositoryName, reference: Reference, by?: string): Promise<void>
  /** end-10 */
  deleteBlob(name: RepositoryName, digest: Digest): Promise<void>
  /** Names of repositories in lexical order, at most `n`. */
  listRepositories(query: RepositoryQuery): Promise<RepositoryName[]>
}

/** A registry that can be pulled from and pushed to. */
export interface Registry extends RegistryReader, RegistryWriter {}

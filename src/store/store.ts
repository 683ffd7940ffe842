// Bytes by digest. Knows nothing of repositories or of who may read what.
import type { Digest } from '../oci/digest.ts'
import type { Intervals } from '../oci/intervals.ts'
import type { Arrival } from '../oci/registry.ts'

export { StoredBlobReader } from './stored-blob-reader.ts'

/** A finished, verified blob, open for reading. Whoever opened it closes it. */
export interface StoredBlob {
  /** Bytes. */
  readonly size: number
  /** Reads at `position` into the front of `into`; returns how many bytes, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>
  close(): void
}

/** A blob that is not whole yet. Bytes may be written in any order; those in `present` can be read at once. */
export interface PartialBlob {
  readonly digest: Digest
  readonly present: Intervals
  /**
   * Bytes that are present, or being written by another call, stay as they are: what a reader was given must be what is
   * verified in the end.
   */
  write(bytes: Uint8Array | Arrival, position: number): Promise<void>
  read(into: Uint8Array, position: number): Promise<number>
  /** Lets hashing go on over the bytes that are present from the start. Cheap; runs beside everything else. */
  advance(): void
  /** Hashes what is left of `size` bytes and tells whether they are what the digest says. */
  verify(size: number): Promise<boolean>
  /** Forgets every byte: they proved wrong. */
  reset(): Promise<void>
  /** Keeps `present` for a later process. What it records may be more than a power loss leaves; `verify` finds out. */
  record(): Promise<void>
  /** Makes it a stored blob. Only after `verify` was true. Readers go on. */
  commit(): Promise<void>
  /** Removes it for good. Readers go on reading what they have. */
  discard(): Promise<void>
  /** Lets go of it; what `record` kept stays for the next `openPartial`. */
  close(): Promise<void>
}

/** A blob that arrives from its front, before its digest is known: a push. What was appended outlives the process. */
export interface UploadFile {
  /** Bytes appended so far. */
  readonly size: number
  /** Appends what comes, at most up to `limit` bytes in all. What came before a failure is kept. Throws OverLimit. */
  append(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<void>
  /** Whether the bytes are what the digest says. */
  matches(digest: Digest): Promise<boolean>
  /** Makes it a stored blob that survives a power loss. Only after `matches` was true; closes it. */
  commit(digest: Digest): Promise<void>
  /** Removes it for good. */
  discard(): Promise<void>
  /** Lets go of it; it stays for the next `openUpload`. */
  close(): Promise<void>
}

/** More came than there was room for. */
export class OverLimit extends Error {}

export interface BlobFacts {
  digest: Digest
  /** Bytes. */
  size: number
}

/** Errors other than absence are the file system's own (`code`: ENOSPC, EROFS, EIO, ...). */
export interface BlobStore {
  /** Undefined when it is not there. */
  open(digest: Digest): Promise<StoredBlob | undefined>
  /** The partial blob of a digest, with what an earlier process recorded of it. At most one is open for a digest at a time. */
  openPartial(digest: Digest): Promise<PartialBlob>
  /** Removes a stored blob; returns the bytes freed, 0 when it was not there. */
  remove(digest: Digest): Promise<number>
  /** Puts a blob that proved wrong out of the way, for a human to look at. */
  quarantine(digest: Digest): Promise<void>
  /** Whether a stored blob still is what its digest says, read at most `bytesPerSecond`. Undefined when it is not there. */
  check(digest: Digest, bytesPerSecond: number): Promise<boolean | undefined>
  blobs(): AsyncIterable<BlobFacts>
  /**
   * Digests of the partial blobs kept on disk, with the time of their last change (milliseconds since 1970). Removes what is
   * of no use to `openPartial`: only for a time when none is open.
   */
  partials(): AsyncIterable<{ digest: Digest; changedAt: number }>
  removePartial(digest: Digest): Promise<void>
  /** Makes the file of a new upload session. */
  createUpload(id: string): Promise<void>
  /** Undefined when there is none. At most one is open for an id at a time. */
  openUpload(id: string): Promise<UploadFile | undefined>
  /** Bytes appended; undefined when there is none. */
  uploadSize(id: string): Promise<number | undefined>
  /** The uploads on disk, with the time of their last change (milliseconds since 1970). */
  uploads(): AsyncIterable<{ id: string; changedAt: number }>
  removeUpload(id: string): Promise<void>

  /**
   * Runs `work` while no other `exclusively` runs on this digest. Whoever removes a blob because nothing refers to it, and
   * whoever makes something refer to it, does so in here: else one could act on what the other is just changing.
   */
  exclusively<T>(digest: Digest, work: () => Promise<T>): Promise<T>
  /** Bytes of the file system underneath. */
  space(): Promise<{ free: number; total: number }>
  close(): Promise<void>
}

import type { Metadata } from '../metadata/metadata.ts'
import type { BlobStore } from '../store/store.ts'

/** A partial blob that nobody asked for in so long is not worth its disk, in milliseconds. */
const partialKept = 7 * 24 * 3_600_000

/**
 * Makes the store and what is known of it agree, however the last process ended: a blob without a row gets one (a file
 * in place was verified before it was put there), a row without its blob goes, and so do partial blobs that are old or done.
 */
export async function reconcile(store: BlobStore, metadata: Metadata, now: number): Promise<void> {
  const present = new Set<string>()
  for await (const { digest, size } of store.blobs()) {
    present.add(digest)
    if (!(await metadata.findStoredBlob(digest))) await metadata.blobStored(digest, size, now)
  }
  for (const { digest } of await metadata.listStoredBlobs(Number.MAX_SAFE_INTEGER)) {
    if (!present.has(digest)) await metadata.blobRemoved(digest)
  }
  for await (const { digest, changedAt } of store.partials()) {
    if (present.has(digest) || now - changedAt > partialKept) await store.removePartial(digest)
  }
}

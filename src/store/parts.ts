import type { FileHandle } from 'node:fs/promises'
import type { Digest } from '../oci/digest.ts'
import type { Lanes } from '../oci/lanes.ts'
import { placeDurably, type Layout } from './layout.ts'
import type { Hashing } from './verify.ts'

/** What all files of a store share. */
export interface StoreParts {
  readonly layout: Layout
  readonly hashing: Hashing
  /** Where syncs take turns. */
  readonly syncs: Lanes
}

/** Makes a file that is open and whole the blob of this digest. On the disk when it resolves: content and name. */
export function keepAsBlob(
  { layout, syncs }: StoreParts,
  file: FileHandle,
  name: string,
  digest: Digest,
): Promise<void> {
  return syncs.use(async () => {
    await file.datasync()
    await placeDurably(name, layout.blob(digest))
  })
}

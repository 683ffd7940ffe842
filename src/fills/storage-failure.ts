import type { Digest } from '../oci/digest.ts'

/** The disk, not the upstream, failed; readers go on without it. */
export class StorageFailure extends Error {
  constructor(digest: Digest, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException)?.code ?? 'failed'
    super(`cannot keep ${digest}: the data folder says ${code}`, { cause })
    this.name = 'StorageFailure'
  }
}

import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Blob, BlobHead } from '../oci/registry.ts'
import type { HostedMetadata } from '../metadata/metadata.ts'
import { StoredBlobReader, type BlobStore, type StoredBlob } from '../store/store.ts'
import type { ReportHostedEvent } from './events.ts'
import { namespaceOf } from './names.ts'
import type { Quotas } from './quotas.ts'

export interface BlobsOptions {
  store: BlobStore
  metadata: HostedMetadata
  quotas: Quotas
  report: ReportHostedEvent
  now: () => number
}

/** The blobs of hosted repositories. One that its repository does not hold is not there, whoever else has it. */
export class Blobs {
  readonly #options: BlobsOptions

  constructor(options: BlobsOptions) {
    this.#options = options
  }

  async get(name: RepositoryName, digest: Digest, range?: ByteRange): Promise<Blob> {
    return new StoredBlobReader(digest, await this.#open(name, digest), range)
  }

  /** Whoever is told that a blob is there will not push it again: from now on its grace time begins anew. */
  async head(name: RepositoryName, digest: Digest): Promise<BlobHead> {
    this.#options.metadata.touched(name, digest, this.#options.now())
    const stored = await this.#open(name, digest)
    stored.close()
    return { digest, size: stored.size }
  }

  async mount(name: RepositoryName, digest: Digest, mayRead: (source: RepositoryName) => boolean): Promise<boolean> {
    const { store, metadata, quotas, now } = this.#options
    const holders = await metadata.listHolders(digest)
    const source = holders.find((holder) => mayRead(holder.name))
    if (!source) return false
    const known = holders.some((holder) => namespaceOf(holder.name) === namespaceOf(name))
    const admission = known ? undefined : await quotas.admit(namespaceOf(name), source.size)
    try {
      return await store.exclusively(digest, async () => {
        // It may have been deleted, or its file lost, since it was looked up.
        if ((await metadata.findBlobSize(source.name, digest)) === undefined) return false
        const stored = await store.open(digest)
        stored?.close()
        if (stored?.size !== source.size) return false
        await metadata.putBlob(name, digest, source.size, now())
        return true
      })
    } finally {
      admission?.release()
    }
  }

  async delete(name: RepositoryName, digest: Digest): Promise<void> {
    if (!(await this.#options.metadata.deleteBlob(name, digest))) throw blobUnknown(name, digest)
    await this.free(digest)
  }

  /** Removes the file of a blob if no repository holds it any more. Returns the bytes freed. */
  free(digest: Digest): Promise<number> {
    const { store, metadata } = this.#options
    return store.exclusively(digest, async () => ((await metadata.releaseBlob(digest)) ? store.remove(digest) : 0))
  }

  async #open(name: RepositoryName, digest: Digest): Promise<StoredBlob> {
    const { store, metadata, report } = this.#options
    const size = await metadata.findBlobSize(name, digest)
    if (size === undefined) throw blobUnknown(name, digest)
    const stored = await store.open(digest)
    if (stored?.size === size) return stored
    stored?.close()
    // Nobody else has it. Said to be missing, so that whoever has the image can push it again, which sets it right.
    const seen = stored ? `a file of ${stored.size} bytes` : 'no file'
    const message = `${name} must have the blob ${digest} of ${size} bytes, saw ${seen}: push it again`
    report({ type: 'hosted-content-lost', repository: name, digest, message })
    throw blobUnknown(name, digest)
  }
}

function blobUnknown(name: RepositoryName, digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', `${name} has no blob ${digest}`, { detail: { digest } })
}

import { open, rm, type FileHandle } from 'node:fs/promises'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { isUploadId, placeDurably, type Layout } from './layout.ts'
import { OverLimit, type UploadFile } from './store.ts'
import type { Hashing, UnknownFileHash } from './verify.ts'

/** Chunks of a socket are gathered to about this many bytes before they are written. */
const batchSize = 1024 * 1024
/** Written bytes are handed to the disk this often, so that the last sync has little left to wait for. */
const syncEvery = 32 * 1024 * 1024

/** An upload in a file that only grows: its length is how far it has come, also after a crash. */
export class FsUpload implements UploadFile {
  readonly #layout: Layout
  readonly #id: string
  readonly #file: FileHandle
  readonly #hashing: Hashing
  #hash: UnknownFileHash | undefined
  #size: number
  #syncedAt = 0
  #syncing: Promise<void> = Promise.resolve()

  private constructor(layout: Layout, id: string, file: FileHandle, size: number, hashing: Hashing) {
    this.#layout = layout
    this.#id = id
    this.#file = file
    this.#size = size
    this.#hashing = hashing
  }

  static async open(layout: Layout, id: string, hashing: Hashing): Promise<FsUpload | undefined> {
    if (!isUploadId(id)) return undefined
    try {
      const file = await open(layout.upload(id), 'r+')
      return new FsUpload(layout, id, file, (await file.stat()).size, hashing)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  get size(): number {
    return this.#size
  }

  // One batch is written while the next one is read: the sender waits for neither.
  async append(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<void> {
    let batch: Uint8Array[] = []
    let gathered = 0
    let total = this.#size
    let writing: Promise<void> = Promise.resolve()
    const hand = async () => {
      const full = batch
      batch = []
      gathered = 0
      await writing
      writing = this.#write(full)
      // Whoever waits for it next sees the failure; until then it must not count as unhandled.
      writing.catch(() => {})
    }
    try {
      for await (const chunk of chunks) {
        total += chunk.length
        if (total > limit) throw new OverLimit()
        batch.push(chunk)
        gathered += chunk.length
        if (gathered >= batchSize) await hand()
      }
    } finally {
      if (gathered > 0) await hand()
      await writing
    }
  }

  async matches(digest: Digest): Promise<boolean> {
    const algorithm = algorithmOf(digest)
    // Pushes are hashed as sha256 while they come; any other algorithm is only known now.
    if (algorithm !== 'sha256') this.#endHash()
    const hash = this.#hash ?? this.#hashing.beginUnknown(this.#layout.upload(this.#id), algorithm)
    this.#hash = undefined
    return (await hash.finish(this.#size)) === hexOf(digest)
  }

  async commit(digest: Digest): Promise<void> {
    try {
      await this.#syncing
      await this.#file.datasync()
    } finally {
      await this.#file.close()
    }
    await placeDurably(this.#layout.upload(this.#id), this.#layout.blob(digest))
  }

  async discard(): Promise<void> {
    await this.close()
    await rm(this.#layout.upload(this.#id), { force: true })
  }

  async close(): Promise<void> {
    this.#endHash()
    await this.#syncing
    await this.#file.close()
  }

  async #write(batch: Uint8Array[]): Promise<void> {
    const total = batch.reduce((sum, chunk) => sum + chunk.length, 0)
    const { bytesWritten } = await this.#file.writev(batch, this.#size)
    this.#size += bytesWritten
    if (bytesWritten < total) await this.#writeRest(Buffer.concat(batch).subarray(bytesWritten))
    this.#hash ??= this.#hashing.beginUnknown(this.#layout.upload(this.#id), 'sha256')
    this.#hash.advance(this.#size)
    if (this.#size - this.#syncedAt >= syncEvery) this.#sync()
  }

  async #writeRest(rest: Uint8Array): Promise<void> {
    for (let done = 0; done < rest.length;) {
      const { bytesWritten } = await this.#file.write(rest, done, rest.length - done, this.#size)
      done += bytesWritten
      this.#size += bytesWritten
    }
  }

  #sync(): void {
    this.#syncedAt = this.#size
    // A failure here comes again, and is heard, at the sync of `commit`.
    this.#syncing = this.#syncing.then(() => this.#file.datasync()).catch(() => {})
  }

  #endHash(): void {
    this.#hash?.close()
    this.#hash = undefined
  }
}

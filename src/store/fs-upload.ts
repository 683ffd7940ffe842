import { open, rm, type FileHandle } from 'node:fs/promises'
import { Buffers } from '../oci/buffers.js'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { isUploadId } from './layout.ts'
import { keepAsBlob, type StoreParts } from './parts.ts'
import { OverLimit, type UploadFile } from './store.ts'
import type { UnknownFileHash } from './verify.ts'

/** Chunks of a socket are gathered to this many bytes before they are written. */
const batchSize = 1024 * 1024
/** Of batches, as many as a few uploads at once need. */
const mostSpare = 8
/** Written bytes are handed to the disk this often, so that the last sync has little left to wait for. */
const syncEvery = 32 * 1024 * 1024

export const uploadBuffers = (): Buffers => new Buffers(batchSize, mostSpare)

/** What all uploads of a store share. */
export interface UploadParts extends StoreParts {
  readonly buffers: Buffers
  /** Is told of chunks that nobody needs any more, in bytes. */
  readonly dropped: (bytes: number) => void
}

/** An upload in a file that only grows: its length is how far it has come, also after a crash. */
export class FsUpload implements UploadFile {
  readonly #parts: UploadParts
  readonly #id: string
  readonly #file: FileHandle
  #hash: UnknownFileHash | undefined
  #size: number
  #syncedAt = 0
  #syncing: Promise<void> = Promise.resolve()

  private constructor(parts: UploadParts, id: string, file: FileHandle, size: number) {
    this.#parts = parts
    this.#id = id
    this.#file = file
    this.#size = size
  }

  get #name(): string {
    return this.#parts.layout.upload(this.#id)
  }

  static async open(parts: UploadParts, id: string): Promise<FsUpload | undefined> {
    if (!isUploadId(id)) return undefined
    try {
      const file = await open(parts.layout.upload(id), 'r+')
      return new FsUpload(parts, id, file, (await file.stat()).size)
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
    const { buffers, dropped } = this.#parts
    let batch = buffers.take()
    let gathered = 0
    let total = this.#size
    let writing: Promise<void> = Promise.resolve()
    const hand = async () => {
      const [full, length] = [batch, gathered]
      await writing
      batch = buffers.take()
      gathered = 0
      writing = this.#write(full.subarray(0, length)).finally(() => buffers.give(full))
      // Whoever waits for it next sees the failure; until then it must not count as unhandled.
      writing.catch(() => {})
    }
    try {
      for await (const chunk of chunks) {
        total += chunk.length
        if (total > limit) throw new OverLimit()
        for (let at = 0; at < chunk.length;) {
          const part = chunk.subarray(at, at + batch.length - gathered)
          batch.set(part, gathered)
          gathered += part.length
          at += part.length
          if (gathered === batch.length) await hand()
        }
        dropped(chunk.length)
      }
    } finally {
      if (gathered > 0) await hand()
      buffers.give(batch)
      await writing
    }
  }

  async matches(digest: Digest): Promise<boolean> {
    const algorithm = algorithmOf(digest)
    // Pushes are hashed as sha256 while they come; any other algorithm is only known now.
    if (algorithm !== 'sha256') this.#endHash()
    const hash = this.#hash ?? this.#parts.hashing.beginUnknown(this.#name, algorithm)
    this.#hash = undefined
    return (await hash.finish(this.#size)) === hexOf(digest)
  }

  async commit(digest: Digest): Promise<void> {
    try {
      await this.#syncing
      await keepAsBlob(this.#parts, this.#file, this.#name, digest)
    } finally {
      await this.#file.close()
    }
  }

  async discard(): Promise<void> {
    await this.close()
    await rm(this.#name, { force: true })
  }

  async close(): Promise<void> {
    this.#endHash()
    await this.#syncing
    await this.#file.close()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#size)
      done += bytesWritten
      this.#size += bytesWritten
    }
    this.#hash ??= this.#parts.hashing.beginUnknown(this.#name, 'sha256')
    this.#hash.advance(this.#size)
    if (this.#size - this.#syncedAt >= syncEvery) this.#sync()
  }

  #sync(): void {
    this.#syncedAt = this.#size
    // A failure here comes again, and is heard, at the sync of `commit`.
    this.#syncing = this.#syncing.then(() => this.#parts.syncs.use(() => this.#file.datasync())).catch(() => {})
  }

  #endHash(): void {
    this.#hash?.close()
    this.#hash = undefined
  }
}

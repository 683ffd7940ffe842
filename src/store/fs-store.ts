import { close, fstat, open } from 'node:fs'
import { mkdir, open as openFile, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDigest, type Digest } from '../oci/digest.ts'
import { FsPartial } from './fs-partial.ts'
import { FsUpload, uploadBuffers, type UploadParts } from './fs-upload.ts'
import { isUploadId, Layout } from './layout.ts'
import { Lanes } from '../oci/lanes.ts'
import { OpenFile } from './open-file.ts'
import type { BlobFacts, BlobStore, PartialBlob, StoredBlob, UploadFile } from './store.ts'
import { Turns } from '../oci/turns.ts'
import { Hashing } from './verify.ts'

/** Each holds one of the four threads that also read for everybody, for seconds where the disk is slow. */
const syncsAtOnce = 2

/**
 * Opens a store in a folder, which is made if it is missing. Throws the file system's error when it cannot be written.
 * `dropped` is told of chunks of uploads that nobody needs any more, in bytes.
 */
export async function fsStore(folder: string, dropped: (bytes: number) => void = () => {}): Promise<BlobStore> {
  const layout = new Layout(folder)
  await layout.create()
  return new FsStore(layout, dropped)
}

class FsStore implements BlobStore {
  readonly #layout: Layout
  readonly #parts: UploadParts
  readonly #turns = new Turns()

  constructor(layout: Layout, dropped: (bytes: number) => void) {
    this.#layout = layout
    const [hashing, syncs] = [new Hashing(), new Lanes(syncsAtOnce)]
    this.#parts = { layout, hashing, syncs, buffers: uploadBuffers(), dropped }
  }

  open(digest: Digest): Promise<StoredBlob | undefined> {
    // Callbacks, not FileHandle: half the cost on the path of every warm blob.
    return new Promise((resolve, reject) => {
      open(this.#layout.blob(digest), 'r', (error, fd) => {
        if (error) return error.code === 'ENOENT' ? resolve(undefined) : reject(error)
        fstat(fd, (failed, stats) => {
          if (!failed) return resolve(new FsBlob(fd, stats.size))
          close(fd)
          reject(failed)
        })
      })
    })
  }

  openPartial(digest: Digest): Promise<PartialBlob> {
    return FsPartial.open(this.#parts, digest)
  }

  async remove(digest: Digest): Promise<number> {
    const file = this.#layout.blob(digest)
    const found = await stat(file).catch(ifMissing(undefined))
    if (!found) return 0
    await rm(file, { force: true })
    return found.size
  }

  async quarantine(digest: Digest): Promise<void> {
    await mkdir(this.#layout.quarantine, { recursive: true })
    await rename(this.#layout.blob(digest), this.#layout.quarantined(digest)).catch(ifMissing(undefined))
  }

  async check(digest: Digest, bytesPerSecond: number): Promise<boolean | undefined> {
    const found = await stat(this.#layout.blob(digest)).catch(ifMissing(undefined))
    if (!found) return undefined
    const hash = this.#parts.hashing.begin(this.#layout.blob(digest), digest)
    const step = Math.max(1, Math.floor(bytesPerSecond / 10))
    for (let at = step; at < found.size; at += step) {
      hash.advance(at)
      await sleep(100, undefined, { ref: false })
    }
    return hash.matches(found.size)
  }

  async *blobs(): AsyncIterable<BlobFacts> {
    for (const algorithm of await namesIn(this.#layout.blobs)) {
      for (const prefix of await namesIn(path.join(this.#layout.blobs, algorithm))) {
        const folder = path.join(this.#layout.blobs, algorithm, prefix)
        for (const hex of await namesIn(folder)) {
          const digest = `${algorithm}:${hex}`
          const found = isDigest(digest) ? await stat(path.join(folder, hex)).catch(ifMissing(undefined)) : undefined
          if (found) yield { digest: digest as Digest, size: found.size }
        }
      }
    }
  }

  async *partials(): AsyncIterable<{ digest: Digest; changedAt: number }> {
    const names = new Set(await readdir(this.#layout.partials))
    for (const name of names) {
      const digest = this.#layout.digestOfPartial(name)
      const file = path.join(this.#layout.partials, name)
      // Of bytes without their record nothing can be used, nor of a record without its bytes.
      const isRecord = name.endsWith('.json')
      const other = isRecord ? name.slice(0, -'.json'.length) : `${name}.json`
      if (!digest || !names.has(other)) await rm(file, { force: true, recursive: true })
      else if (!isRecord) {
        const found = await stat(file).catch(ifMissing(undefined))
        if (found) yield { digest, changedAt: found.mtimeMs }
      }
    }
  }

  async removePartial(digest: Digest): Promise<void> {
    await rm(this.#layout.intervals(digest), { force: true })
    await rm(this.#layout.partial(digest), { force: true })
  }

  async createUpload(id: string): Promise<void> {
    const file = await openFile(this.#layout.upload(id), 'wx')
    await file.close()
  }

  openUpload(id: string): Promise<UploadFile | undefined> {
    return FsUpload.open(this.#parts, id)
  }

  async uploadSize(id: string): Promise<number | undefined> {
    if (!isUploadId(id)) return undefined
    return (await stat(this.#layout.upload(id)).catch(ifMissing(undefined)))?.size
  }

  async *uploads(): AsyncIterable<{ id: string; changedAt: number }> {
    for (const id of await readdir(this.#layout.uploads)) {
      const found = await stat(this.#layout.upload(id)).catch(ifMissing(undefined))
      if (found) yield { id, changedAt: found.mtimeMs }
    }
  }

  async removeUpload(id: string): Promise<void> {
    if (isUploadId(id)) await rm(this.#layout.upload(id), { force: true })
  }

  exclusively<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(digest, work)
  }

  async space(): Promise<{ free: number; total: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#layout.root)
    return { free: bavail * bsize, total: blocks * bsize }
  }

  close(): Promise<void> {
    return this.#parts.hashing.close()
  }
}

/** Nothing for what is no folder: a file that somebody put there is none of ours. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return []
    throw error
  }
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}

class FsBlob implements StoredBlob {
  readonly size: number
  readonly #file: OpenFile

  constructor(fd: number, size: number) {
    this.size = size
    this.#file = new OpenFile(fd, () => close(fd))
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#file.read(into, position)
  }

  close(): void {
    this.#file.close()
  }
}

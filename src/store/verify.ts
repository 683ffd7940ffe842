import { Worker } from 'node:worker_threads'
import { algorithmOf, hexOf, type Algorithm, type Digest } from '../oci/digest.ts'

/** What the hashing thread is told. `upTo` is the end of the bytes that lie in the file from its start. */
export type HashOrder =
  | { order: 'open'; id: number; file: string; algorithm: Algorithm }
  | { order: 'advance' | 'finish'; id: number; upTo: number }
  | { order: 'close'; id: number }

type HashReport = { id: number; hex: string } | { id: number; error: string }

/** The hashing thread, shared by all blobs of a store. Started with the first file, so that a warm start does not pay for it. */
export class Hashing {
  #worker: Worker | undefined
  #nextId = 1
  readonly #waiting = new Map<number, { resolve: (hex: string) => void; reject: (error: Error) => void }>()

  /** Begins to hash a file that may still grow or fill up, and has a digest to match. Whoever began it finishes or closes it. */
  begin(file: string, digest: Digest): FileHash {
    const hash = this.beginUnknown(file, algorithmOf(digest))
    return { ...hash, matches: async (size) => (await hash.finish(size)) === hexOf(digest) }
  }

  /** The same for a file whose digest is not known yet. */
  beginUnknown(file: string, algorithm: Algorithm): UnknownFileHash {
    const id = this.#nextId++
    this.#send({ order: 'open', id, file, algorithm })
    return {
      advance: (upTo) => this.#send({ order: 'advance', id, upTo }),
      finish: (size) =>
        new Promise<string>((resolve, reject) => {
          this.#waiting.set(id, { resolve, reject })
          this.#send({ order: 'finish', id, upTo: size })
        }),
      close: () => this.#send({ order: 'close', id }),
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  #send(order: HashOrder): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(order)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), { execArgv: [] })
    worker.unref()
    worker.on('message', (report: HashReport) => {
      const waiting = this.#waiting.get(report.id)
      this.#waiting.delete(report.id)
      if ('hex' in report) waiting?.resolve(report.hex)
      else waiting?.reject(new Error(`hashing failed: ${report.error}`))
    })
    worker.on('error', (error: Error) => {
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
      this.#worker = undefined
    })
    return worker
  }
}

export interface UnknownFileHash {
  advance(upTo: number): void
  /** The hexadecimal digest of the file's first `size` bytes. Ends the hash. */
  finish(size: number): Promise<string>
  close(): void
}

export interface FileHash {
  advance(upTo: number): void
  /** Whether the file's first `size` bytes have the digest it was begun with. Ends the hash. */
  matches(size: number): Promise<boolean>
  close(): void
}

import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import type { Digest } from '../oci/digest.ts'
import { Intervals } from '../oci/intervals.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Arrival } from '../oci/registry.ts'
import { OpenFile } from './open-file.ts'
import { keepAsBlob, type StoreParts } from './parts.ts'
import type { PartialBlob } from './store.ts'
import type { FileHash } from './verify.ts'

/** The hashing thread is told of new bytes only when there are this many. */
const hashStep = 2 * 1024 * 1024

/** A partial blob in a file with holes; which bytes are present lies beside it. */
export class FsPartial implements PartialBlob {
  readonly digest: Digest
  readonly present: Intervals
  /** Bytes that are written or being written. */
  readonly #claimed: Intervals
  /** Where the last of them ends, and the file with it, in bytes. */
  #length: number
  /** Counts the resets. */
  #era = 0
  readonly #parts: StoreParts
  readonly #file: FileHandle
  #bytes!: OpenFile
  readonly #closed: Promise<void>
  #hash: FileHash | undefined
  #advanced = 0
  #recording: Promise<void> = Promise.resolve()

  private constructor(parts: StoreParts, digest: Digest, file: FileHandle, present: Intervals, length: number) {
    this.#parts = parts
    this.digest = digest
    this.#file = file
    this.#length = length
    this.#closed = new Promise((resolve, reject) => {
      this.#bytes = new OpenFile(file.fd, () => void file.close().then(resolve, reject))
    })
    this.present = present
    this.#claimed = new Intervals(present.toJSON())
  }

  get #name(): string {
    return this.#parts.layout.partial(this.digest)
  }

  /** Where it is written down which bytes are present. */
  get #record(): string {
    return this.#parts.layout.intervals(this.digest)
  }

  static async open(parts: StoreParts, digest: Digest): Promise<FsPartial> {
    const { layout } = parts
    const recorded = await readRecord(layout.intervals(digest))
    const file = await open(layout.partial(digest), recorded ? 'r+' : 'w+').catch(
      async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        await mkdir(layout.partials, { recursive: true })
        return open(layout.partial(digest), 'w+')
      },
    )
    const { size } = await file.stat()
    const present = new Intervals((recorded ?? []).filter((range) => range.end <= size))
    return new FsPartial(parts, digest, file, present, size)
  }

  async write(bytes: Uint8Array | Arrival, position: number): Promise<void> {
    const era = this.#era
    for (const { start, end } of this.#claim(position, position + bytes.length)) {
      await this.#writeAll(bytes.subarray(start - position, end - position), start)
      // After a reset these are bytes of what was thrown away.
      if (era !== this.#era) return
      this.present.add(start, end)
    }
  }

  /** What of a stretch nobody has written or is writing; claimed at once, so that no two writes ever meet. */
  #claim(start: number, end: number): ByteRange[] {
    const free: ByteRange[] = []
    for (let gap = this.#claimed.nextGap(start, end); gap; gap = this.#claimed.nextGap(gap.end, end)) free.push(gap)
    this.#claimed.add(start, end)
    this.#length = Math.max(this.#length, end)
    return free
  }

  async #writeAll(bytes: Uint8Array | Arrival, position: number): Promise<void> {
    if (!(bytes instanceof Uint8Array)) return this.#bytes.receive(bytes, position)
    for (let done = 0; done < bytes.length;) {
      done += await this.#bytes.write(done === 0 ? bytes : bytes.subarray(done), position + done)
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#bytes.read(into, position)
  }

  advance(): void {
    const front = this.present.endOfRun(0)
    if (front - this.#advanced < hashStep) return
    this.#advanced = front
    this.#hash ??= this.#parts.hashing.begin(this.#name, this.digest)
    this.#hash.advance(front)
  }

  async verify(size: number): Promise<boolean> {
    if (this.#length > size) await this.#file.truncate(size)
    this.#hash ??= this.#parts.hashing.begin(this.#name, this.digest)
    const hash = this.#hash
    this.#hash = undefined
    return hash.matches(size)
  }

  async reset(): Promise<void> {
    this.#era++
    this.present.clear()
    this.#claimed.clear()
    this.#advanced = 0
    await this.#recording.catch(() => {})
    await rm(this.#record, { force: true })
    await this.#file.truncate(0)
  }

  record(): Promise<void> {
    // One at a time: two that write the same file would spoil it.
    return (this.#recording = this.#recording.catch(() => {}).then(() => this.#writeRecord()))
  }

  async #writeRecord(): Promise<void> {
    await writeFile(`${this.#record}.new`, JSON.stringify(this.present))
    await rename(`${this.#record}.new`, this.#record)
  }

  async commit(): Promise<void> {
    await keepAsBlob(this.#parts, this.#file, this.#name, this.digest)
    await rm(this.#record, { force: true })
  }

  async discard(): Promise<void> {
    // A record that is being written would be there again afterwards.
    await this.#recording.catch(() => {})
    this.#hash?.close()
    this.#hash = undefined
    await rm(this.#record, { force: true })
    await rm(this.#name, { force: true })
  }

  async close(): Promise<void> {
    this.#hash?.close()
    this.#hash = undefined
    this.#bytes.close()
    await this.#closed
  }
}

async function readRecord(file: string): Promise<ByteRange[] | undefined> {
  try {
    const recorded: unknown = JSON.parse(await readFile(file, 'utf8'))
    return Array.isArray(recorded) ? (recorded as ByteRange[]).filter(isRange) : undefined
  } catch {
    // None, or one that a crash left half-written: the fill starts from nothing.
    return undefined
  }
}

function isRange(value: Partial<ByteRange> | null): boolean {
  return Number.isSafeInteger(value?.start) && Number.isSafeInteger(value?.end) && value!.start! >= 0
}

import { Buffers } from '../oci/buffers.js'
import type { Lent } from '../oci/registry.ts'

/** Bytes of one read. */
const most = 256 * 1024
/** Reads that are kept for whoever comes to the same place soon, all fills together. */
const mostKept = 32

/** A file that several readers go through. */
interface Shared {
  read(into: Uint8Array, position: number): Promise<number>
}

interface Stretch {
  readonly of: Shared
  readonly start: number
  end: number
  readonly buffer: Buffer<ArrayBuffer>
  /** Resolves when the bytes are there. */
  readonly came: Promise<void>
  users: number
  kept: boolean
}

/**
 * Reads that readers at the same place share: the file is read once, and all are sent from memory that the processor has
 * just touched. Who is a little behind takes the rest of a stretch, and is then where the others are.
 */
export class SharedReads {
  readonly #kept: Stretch[] = []
  readonly #buffers = new Buffers(most, mostKept)

  /**
   * Lends what lies in `file` at `position`, up to `end` at most; whoever gets it gives it back by its `release`. Rejects as
   * reading does; undefined when the file is shorter than said.
   */
  async lend(file: Shared, position: number, end: number): Promise<Lent | undefined> {
    const known = this.#kept.find((one) => one.of === file && one.start <= position && position < one.end)
    const stretch = known ?? this.#begin(file, position, Math.min(end, position + most))
    stretch.users++
    const release = () => {
      stretch.users--
      this.#reuse(stretch)
    }
    try {
      await stretch.came
    } catch (error) {
      release()
      throw error
    }
    const bytes = stretch.buffer.subarray(position - stretch.start, Math.min(end, stretch.end) - stretch.start)
    if (bytes.length > 0) return { bytes, release }
    release()
    return undefined
  }

  /** What was read of `file` is not lent any more. */
  forget(file: Shared): void {
    for (const stretch of this.#kept.filter((one) => one.of === file)) this.#drop(stretch)
  }

  #begin(of: Shared, start: number, end: number): Stretch {
    const buffer = this.#buffers.take()
    const came = of.read(buffer.subarray(0, end - start), start).then(
      (got) => void (stretch.end = start + got),
      (error: unknown) => {
        this.#drop(stretch)
        throw error
      },
    )
    const stretch: Stretch = { of, start, end, buffer, came, users: 0, kept: true }
    this.#kept.push(stretch)
    if (this.#kept.length > mostKept) this.#drop(this.#kept[0]!)
    return stretch
  }

  #drop(stretch: Stretch): void {
    const at = this.#kept.indexOf(stretch)
    if (at < 0) return
    this.#kept.splice(at, 1)
    stretch.kept = false
    this.#reuse(stretch)
  }

  #reuse({ users, kept, buffer }: Stretch): void {
    if (users === 0 && !kept) this.#buffers.give(buffer)
  }
}

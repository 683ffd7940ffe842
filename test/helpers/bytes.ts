import { createCipheriv, createHash } from 'node:crypto'

/**
 * What a blob is made of: text, bytes, pseudo-random bytes that are made while they are read (so that a 1 GiB layer needs
 * no memory), or several of these in a row.
 */
export type BytesSpec = string | Uint8Array | Generated | { parts: BytesSpec[] } | Bytes

export interface Generated {
  size: number
  seed: number
}

/** Bytes of known size that can be read from any place, again and again. */
export class Bytes {
  readonly size: number
  readonly #segments: Segment[]
  readonly #digests = new Map<string, string>()

  constructor(segments: Segment[]) {
    this.#segments = segments
    this.size = segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get digest(): string {
    return this.digestBy('sha256')
  }

  /** Computed once; the bytes are streamed through the hash. */
  digestBy(algorithm: 'sha256' | 'sha512'): string {
    let digest = this.#digests.get(algorithm)
    if (digest === undefined) {
      const hash = createHash(algorithm)
      for (const chunk of this.chunks()) hash.update(chunk)
      digest = `${algorithm}:${hash.digest('hex')}`
      this.#digests.set(algorithm, digest)
    }
    return digest
  }

  /** The bytes from `start` up to, not including, `end`. Chunks are shared: do not write to them. */
  *chunks(start = 0, end = this.size): Generator<Buffer> {
    let offset = 0
    for (const segment of this.#segments) {
      const from = Math.max(start - offset, 0)
      const to = Math.min(end - offset, segment.size)
      if (from < to) yield* segment.chunks(from, to)
      offset += segment.size
    }
  }

  read(start = 0, end = this.size): Buffer {
    return Buffer.concat([...this.chunks(start, end)])
  }
}

interface Segment {
  readonly size: number
  chunks(start: number, end: number): Iterable<Buffer>
}

export function makeBytes(spec: BytesSpec): Bytes {
  return spec instanceof Bytes ? spec : new Bytes(segments(spec))
}

function segments(spec: BytesSpec): Segment[] {
  if (typeof spec === 'string') return [memorySegment(Buffer.from(spec))]
  if (spec instanceof Uint8Array) return [memorySegment(Buffer.from(spec.buffer, spec.byteOffset, spec.length))]
  if (spec instanceof Bytes) return [{ size: spec.size, chunks: (start, end) => spec.chunks(start, end) }]
  return 'parts' in spec ? spec.parts.flatMap(segments) : [generatedSegment(spec)]
}

function memorySegment(bytes: Buffer): Segment {
  return { size: bytes.length, chunks: (start, end) => [bytes.subarray(start, end)] }
}

const blockSize = 1024 * 1024
const counterSize = 8

// One random block, repeated; each repetition begins with its number, so that no two blocks are equal and a block that is
// served from the wrong place is noticed. The block itself is handed out uncopied.
function generatedSegment({ size, seed }: Generated): Segment {
  const block = randomBlock(seed)
  return {
    size,
    *chunks(start, end) {
      let at = start
      while (at < end) {
        const index = Math.floor(at / blockSize)
        const inBlock = at - index * blockSize
        const left = end - at
        const chunk =
          inBlock < counterSize
            ? counter(index).subarray(inBlock, Math.min(counterSize, inBlock + left))
            : block.subarray(inBlock, Math.min(blockSize, inBlock + left))
        yield chunk
        at += chunk.length
      }
    },
  }
}

function counter(index: number): Buffer {
  const bytes = Buffer.alloc(counterSize)
  bytes.writeBigUInt64BE(BigInt(index))
  return bytes
}

function randomBlock(seed: number): Buffer {
  const key = createHash('sha256').update(`block ${seed}`).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(blockSize))
}

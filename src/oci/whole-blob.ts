import type { Blob } from './registry.ts'

/** Reads a small blob to its end, and closes it. Undefined for one of more than `most` bytes, whatever its size was said to be. */
export async function readWhole(blob: Blob, most: number): Promise<Buffer | undefined> {
  try {
    if ((blob.size ?? 0) > most) return undefined
    if (blob.whole) return Buffer.from(blob.whole)
    const parts: Buffer[] = []
    for (let size = 0; size <= most;) {
      const buffer = Buffer.alloc(64 * 1024)
      const got = await blob.read(buffer)
      if (got === 0) return Buffer.concat(parts)
      parts.push(buffer.subarray(0, got))
      size += got
    }
    return undefined
  } finally {
    blob.close()
  }
}

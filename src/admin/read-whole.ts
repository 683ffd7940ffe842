import type { Blob } from '../oci/registry.ts'

/** A blob's bytes, closing it; of one that is longer than `most` bytes what lies a little beyond that at the most. */
export async function readWhole(blob: Blob, most: number): Promise<Uint8Array> {
  if (blob.whole) {
    blob.close()
    return blob.whole
  }
  const parts: Buffer[] = []
  try {
    for (let total = 0; total <= most;) {
      const buffer = Buffer.alloc(64 * 1024)
      const got = await blob.read(buffer)
      if (got === 0) break
      total += got
      parts.push(buffer.subarray(0, got))
    }
  } finally {
    blob.close()
  }
  return Buffer.concat(parts)
}

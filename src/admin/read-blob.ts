import type { Blob } from '../oci/registry.ts'

/** All of a small blob, which is closed then; of one larger than `limit` bytes not more than the buffer that reaches it. */
export async function readBlob(blob: Blob, limit: number): Promise<Uint8Array> {
  if (blob.whole) {
    blob.close()
    return blob.whole
  }
  const parts: Buffer[] = []
  try {
    for (let total = 0; total <= limit;) {
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

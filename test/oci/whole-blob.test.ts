import { describe, expect, it } from 'vitest'
import { readWhole } from '../../src/oci/whole-blob.ts'
import { startCached } from '../helpers/cached.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const size = 100_000

/** Opens a blob of `size` bytes, or of so many, that no manifest tells the size of. */
async function startOpening(options: Partial<UpstreamOptions> = {}, bytes = size) {
  const upstream = await startUpstream({ content: { app: { blobs: { b: { size: bytes, seed: 1 } } } }, ...options })
  const cached = await startCached(upstream)
  return { cached, open: () => cached.open('app', upstream.content.digest('app', 'b')) }
}

describe('a blob read whole', () => {
  it('is there where it is of no more bytes than asked for, cold, warm and from memory', async () => {
    for (const bytes of [10, size]) {
      const { cached, open } = await startOpening({}, bytes)
      for (let i = 0; i < 3; i++) {
        expect((await readWhole(await open(), bytes))?.length).toBe(bytes)
        expect(await readWhole(await open(), bytes - 1)).toBeUndefined()
      }
      await cached.expectNothingLeft()
    }
  })

  it('is no longer than asked for where nobody says its size', async () => {
    const { cached, open } = await startOpening({ quirks: { chunked: true } })
    const blob = await open()
    expect(blob.size).toBeUndefined()
    expect(await readWhole(blob, size - 1)).toBeUndefined()
    expect((await readWhole(await open(), size))?.length).toBe(size)
    await cached.expectNothingLeft()
  })
})

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import type { BlobStore } from '../../src/store/store.ts'

const bytes = Buffer.from('the quick brown fox jumps over the lazy dog')
const digest = digestOf(bytes)

/** What every BlobStore does. `make` opens one that is empty; opening it again, as a later process does, finds what was kept. */
export function testBlobStore(name: string, make: () => Promise<{ open: () => Promise<BlobStore> }>): void {
  describe(`blob store: ${name}`, () => {
    let store: BlobStore
    let again: () => Promise<BlobStore>

    beforeEach(async () => {
      const made = await make()
      again = async () => {
        await store.close()
        return (store = await made.open())
      }
      store = await made.open()
    })
    afterEach(() => store.close())

    describe('finished blobs', () => {
      it('are undefined, 0 bytes or nothing to do where there are none', async () => {
        expect(await store.open(digest)).toBeUndefined()
        expect(await store.remove(digest)).toBe(0)
        expect(await store.check(digest, 1e9)).toBeUndefined()
        await store.quarantine(digest)
        await store.removePartial(digest)
        expect(await list(store.blobs())).toEqual([])
        expect(await list(store.partials())).toEqual([])
      })

      it('are read from any position', async () => {
        await keep(store, bytes)
        const blob = (await store.open(digest))!
        expect(blob.size).toBe(bytes.length)
        const into = Buffer.alloc(5)
        expect(await blob.read(into, 4)).toBe(5)
        expect(into.toString()).toBe('quick')
        expect(await blob.read(into, bytes.length)).toBe(0)
        blob.close()
        blob.close()
      })

      it('refuse to be read after they were closed', async () => {
        await keep(store, bytes)
        const blob = (await store.open(digest))!
        blob.close()
        await expect(blob.read(Buffer.alloc(5), 0)).rejects.toThrow('closed')
      })

      it('are listed with their sizes, and found by a later process', async () => {
        await keep(store, bytes)
        await keep(store, Buffer.from(''))
        const expected = new Set([`${digest} ${bytes.length}`, `${digestOf(Buffer.from(''))} 0`])
        const listed = async () => new Set((await list(store.blobs())).map((blob) => `${blob.digest} ${blob.size}`))
        expect(await listed()).toEqual(expected)
        await again()
        expect(await listed()).toEqual(expected)
      })

      it('that are removed give their bytes back, and go on for who reads them', async () => {
        await keep(store, bytes)
        const blob = (await store.open(digest))!
        expect(await store.remove(digest)).toBe(bytes.length)
        expect(await store.open(digest)).toBeUndefined()
        expect(await blob.read(Buffer.alloc(5), 0)).toBe(5)
        blob.close()
      })

      it('that are put in quarantine are no longer there', async () => {
        await keep(store, bytes)
        await store.quarantine(digest)
        expect(await store.open(digest)).toBeUndefined()
        expect(await list(store.blobs())).toEqual([])
      })

      it('are what their digest says', async () => {
        await keep(store, bytes)
        expect(await store.check(digest, 1e9)).toBe(true)
        const sha512 = digestOf(bytes, 'sha512')
        await keep(store, bytes, sha512)
        expect(await store.check(sha512, 1e9)).toBe(true)
      })
    })

    describe('partial blobs', () => {
      it('hold what was written, in any order, and tell what is present', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(bytes.subarray(20), 20)
        await partial.write(bytes.subarray(0, 10), 0)
        expect(partial.present.toJSON()).toEqual([
          { start: 0, end: 10 },
          { start: 20, end: bytes.length },
        ])
        const into = Buffer.alloc(10)
        expect(await partial.read(into, 0)).toBe(10)
        expect(into.equals(bytes.subarray(0, 10))).toBe(true)
        await partial.discard()
        await partial.close()
        expect(await list(store.partials())).toEqual([])
      })

      it('become blobs when they are verified, and readers go on', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(bytes, 0)
        partial.advance()
        expect(await partial.verify(bytes.length)).toBe(true)
        await partial.commit()
        expect(await partial.read(Buffer.alloc(5), 0)).toBe(5)
        await partial.close()
        expect(await store.check(digest, 1e9)).toBe(true)
        expect(await list(store.partials())).toEqual([])
      })

      it('keep the bytes they have: what a reader was given is what is verified', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(Buffer.from('x'), 5)
        await Promise.all([partial.write(bytes, 0), partial.write(bytes.subarray(3), 3)])
        const into = Buffer.alloc(bytes.length)
        await partial.read(into, 0)
        expect(into.subarray(5, 6).toString()).toBe('x')
        expect(into.subarray(6).equals(bytes.subarray(6))).toBe(true)
        expect(await partial.verify(bytes.length)).toBe(false)
        await partial.discard()
        await partial.close()
      })

      it('are not verified when a byte is wrong, and start anew after a reset', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(Buffer.from(bytes).fill('x', 3, 4), 0)
        partial.advance()
        expect(await partial.verify(bytes.length)).toBe(false)
        await partial.reset()
        expect(partial.present.total).toBe(0)
        await partial.write(bytes, 0)
        expect(await partial.verify(bytes.length)).toBe(true)
        await partial.discard()
        await partial.close()
      })

      it('longer than the size they are verified for are cut to it', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(Buffer.concat([bytes, Buffer.from('more')]), 0)
        expect(await partial.verify(bytes.length)).toBe(true)
        await partial.commit()
        await partial.close()
        expect(await list(store.blobs())).toEqual([{ digest, size: bytes.length }])
      })

      it('that were recorded are found by a later process, as far as recorded', async () => {
        let partial = await store.openPartial(digest)
        await partial.write(bytes.subarray(0, 10), 0)
        await partial.record()
        await partial.write(bytes.subarray(20, 25), 20)
        await partial.close()
        await again()
        expect((await list(store.partials())).map((kept) => kept.digest)).toEqual([digest])
        partial = await store.openPartial(digest)
        expect(partial.present.toJSON()).toEqual([{ start: 0, end: 10 }])
        await partial.write(bytes.subarray(10), 10)
        expect(await partial.verify(bytes.length)).toBe(true)
        await partial.commit()
        await partial.close()
        expect(await list(store.partials())).toEqual([])
      })

      it('that were not recorded are no use to a later process, and not kept', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(bytes.subarray(0, 10), 0)
        await partial.close()
        await again()
        expect(await list(store.partials())).toEqual([])
      })

      it('may be recorded by several at once', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(bytes, 0)
        await Promise.all(Array.from({ length: 20 }, () => partial.record()))
        await partial.close()
        await again()
        const found = await store.openPartial(digest)
        expect(found.present.total).toBe(bytes.length)
        await found.discard()
        await found.close()
      })

      it('that are removed are gone', async () => {
        const partial = await store.openPartial(digest)
        await partial.write(bytes, 0)
        await partial.record()
        await partial.close()
        await store.removePartial(digest)
        expect(await list(store.partials())).toEqual([])
      })

      it('give the same blob whatever pieces they are written in, in whatever order', async () => {
        const whole = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7) % 251))
        const cuts = fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 10 })
        await fc.assert(
          fc.asyncProperty(cuts, fc.infiniteStream(fc.nat(100)), async (cuts, order) => {
            const partial = await store.openPartial(digestOf(whole))
            for (const [start, end] of shuffled(pieces(cuts, whole.length), order)) {
              await partial.write(whole.subarray(start, end), start)
              partial.advance()
            }
            expect(partial.present.toJSON()).toEqual([{ start: 0, end: whole.length }])
            expect(await partial.verify(whole.length)).toBe(true)
            await partial.discard()
            await partial.close()
          }),
          { numRuns: 30 },
        )
      })
    })

    it('tells how much room there is', async () => {
      const { free, total } = await store.space()
      expect(free).toBeGreaterThan(0)
      expect(total).toBeGreaterThanOrEqual(free)
    })
  })
}

async function keep(store: BlobStore, content: Buffer, as: Digest = digestOf(content)): Promise<void> {
  const partial = await store.openPartial(as)
  await partial.write(content, 0)
  expect(await partial.verify(content.length)).toBe(true)
  await partial.commit()
  await partial.close()
}

async function list<T>(all: AsyncIterable<T>): Promise<T[]> {
  const listed: T[] = []
  for await (const one of all) listed.push(one)
  return listed
}

function pieces(cuts: number[], end: number): [number, number][] {
  const at = [0, ...cuts.toSorted((a, b) => a - b), end]
  return at.slice(1).map((end, i) => [at[i]!, end])
}

function shuffled<T>(items: T[], order: Iterator<number>): T[] {
  const keyed = items.map((item) => ({ item, key: order.next().value as number }))
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SharedReads } from '../../src/fills/shared-reads.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { makeFolder } from '../helpers/folder.ts'
import { makeRandom } from '../helpers/random.ts'

const mebibyte = 1024 * 1024

/** A file of random bytes that says where it was read. */
async function makeFile(size: number, seed = 1) {
  const bytes = makeBytes({ size, seed }).read()
  const name = path.join(makeFolder({ file: '' }), 'file')
  writeFileSync(name, bytes)
  const file = await open(name)
  onTestFinished(() => file.close())
  const places: number[] = []
  const read = async (into: Uint8Array, position: number) => {
    places.push(position)
    return (await file.read(into, 0, into.length, position)).bytesRead
  }
  return { name, bytes, size, places, read }
}

describe('readers of one file', () => {
  it('at the same place cost one read', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(2 * mebibyte)]
    for (let position = 0; position < file.size;) {
      const all = await Promise.all(Array.from({ length: 16 }, () => reads.lend(file, position, file.size)))
      for (const lent of all) {
        expect(lent!.bytes.equals(file.bytes.subarray(position, position + lent!.bytes.length))).toBe(true)
      }
      all.forEach((lent) => lent!.release())
      position += all[0]!.bytes.length
    }
    expect(file.places).toEqual([...new Set(file.places)])
  })

  it('a little behind take the rest of what others have read', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(2 * mebibyte)]
    const ahead = await reads.lend(file, 1000, file.size)
    const behind = await reads.lend(file, 5000, file.size)
    expect(5000 + behind!.bytes.length).toBe(1000 + ahead!.bytes.length)
    expect(file.places).toEqual([1000])
  })

  it('get nothing beyond the end they name, whatever another was lent', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(mebibyte)]
    await reads.lend(file, 0, file.size)
    expect((await reads.lend(file, 10, 20))!.bytes.length).toBe(10)
  })

  it('get bytes that nobody changes until all have given them back', async () => {
    const seed = Date.now() % 1_000_000
    const random = makeRandom(seed)
    const [reads, file, other] = [new SharedReads(), await makeFile(8 * mebibyte), await makeFile(8 * mebibyte, 2)]
    const reader = async (of: typeof file) => {
      for (let position = random.whole(0, mebibyte); position < of.size;) {
        const lent = (await reads.lend(of, position, of.size))!
        for (let i = random.whole(0, 20); i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
        expect(lent.bytes.equals(of.bytes.subarray(position, position + lent.bytes.length)), `seed ${seed}`).toBe(true)
        position += random.chance(0.8) ? lent.bytes.length : Math.ceil(lent.bytes.length / 2)
        lent.release()
      }
    }
    await Promise.all([file, other, file, file, other, file, other].map(reader))
  })

  it('get what is there by now, once what was read is forgotten', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(1000)]
    ;(await reads.lend(file, 0, 1000))!.release()
    writeFileSync(file.name, Buffer.alloc(1000, 7))
    reads.forget(file)
    expect((await reads.lend(file, 0, 1000))!.bytes.equals(Buffer.alloc(1000, 7))).toBe(true)
  })

  it('get nothing where the file is shorter than said', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(1000)]
    expect((await reads.lend(file, 0, 2000))!.bytes.length).toBe(1000)
    expect(await reads.lend(file, 1000, 2000)).toBeUndefined()
  })

  it('all hear of a failure, and who comes later reads anew', async () => {
    const [reads, file] = [new SharedReads(), await makeFile(1000)]
    let broken = true
    const read = (into: Uint8Array, position: number) =>
      broken ? Promise.reject(new Error('EIO')) : file.read(into, position)
    const once = { read }
    const both = await Promise.allSettled([reads.lend(once, 0, 1000), reads.lend(once, 10, 1000)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    broken = false
    expect((await reads.lend(once, 0, 1000))!.bytes.equals(file.bytes)).toBe(true)
  })
})

import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAll, startCached, type CachedOptions } from '../helpers/cached.ts'
import { makeClock } from '../helpers/clock.ts'
import { mountReadOnly, mountSmallDisk, noSmallDisk } from '../helpers/small-disk.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 6 * mebibyte
const blobs = /blobs/

/** A cache whose store is on a disk of 16 MiB with so many bytes free, in front of a blob of 6 MiB. */
async function startOnSmallDisk(
  { free, ...options }: Omit<UpstreamOptions, 'content'> & { free: number },
  cache: CachedOptions = {},
) {
  const content = {
    app: {
      blobs: { config: '{}', big: { size, seed: 9 } },
      manifests: { m: { config: 'config', layers: ['big'] } },
      tags: { 1: 'm' },
    },
  }
  const disk = mountSmallDisk({ size: 16 * mebibyte })
  const upstream = await startUpstream({ ...options, content })
  const clock = makeClock()
  const folder = path.join(disk.folder, 'data')
  const cached = await startCached(upstream, { folder, now: () => clock.now(), ...cache })
  await cached.manifest('app', '1')
  disk.fill(free)
  const big = upstream.content.digest('app', 'big')
  return { disk, upstream, clock, cached, big, bytes: upstream.content.bytes('app', 'big') }
}

describe.skipIf(noSmallDisk)(
  `a full disk (case 45, rpardini 90, nora 683)${noSmallDisk ? `: ${noSmallDisk}` : ''}`,
  () => {
    it('fails no pull: in mid-blob it goes on past the disk, and what was half-kept is removed', async () => {
      const { cached, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte })
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.expectNothingLeft()
      expect(await cached.stored(big)).toBeUndefined()
    })

    it('is told as an event, and the next pulls pass by it at once', async () => {
      const { cached, upstream, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte })
      await cached.read('app', big)
      expect(cached.events).toContainEqual({
        type: 'storage-failure',
        message: expect.stringContaining('ENOSPC') as string,
      })
      upstream.forget()
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      expect(upstream.requests).toEqual([expect.stringMatching(/GET .*blobs.* 200/)])
      expect(cached.count('fill-started')).toBe(1)
    })

    it('fails none of several readers, wherever each has come to', async () => {
      const { cached, upstream, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte })
      const release = upstream.hold(blobs, mebibyte)
      const slow = await cached.open('app', big)
      await slow.read(Buffer.alloc(1000))
      const others = Array.from({ length: 4 }, () => cached.read('app', big))
      release()
      for (const got of await Promise.all(others)) expect(bytes.equals(got)).toBe(true)
      expect((await readAll(slow)).equals(bytes.subarray(1000))).toBe(true)
      await cached.expectNothingLeft()
    })

    it('fails no range', async () => {
      const { cached, big, bytes } = await startOnSmallDisk({ free: 100_000 })
      const range = { start: 4 * mebibyte, end: 5 * mebibyte }
      expect((await cached.read('app', big, range)).equals(bytes.subarray(range.start, range.end))).toBe(true)
      expect((await cached.read('app', big, range)).equals(bytes.subarray(range.start, range.end))).toBe(true)
      await cached.expectNothingLeft()
    })

    it('fails no pull over parallel ranges', async () => {
      const fill = { parallelThreshold: mebibyte, connections: 4 }
      const { cached, big, bytes } = await startOnSmallDisk({ free: 5 * mebibyte }, { fill })
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.expectNothingLeft()
    })

    it('fails no pull from an upstream without lengths and ranges', async () => {
      const { cached, big, bytes } = await startOnSmallDisk({
        free: 2 * mebibyte,
        quirks: { chunked: true, noRange: true },
      })
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.expectNothingLeft()
    })

    it('past it a cut is resumed, and wrong bytes break the connection before the end', async () => {
      const { cached, upstream, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte })
      await cached.read('app', big)
      upstream.set({ faults: [{ on: blobs, cutAfter: mebibyte, times: 2 }] })
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      upstream.set({ faults: [{ on: blobs, wrongByte: 5 }] })
      await expect(cached.read('app', big)).rejects.toThrow(/must have that digest/)
    })

    it('past it an upstream that refuses to resume, for a while, is asked again', async () => {
      const { cached, upstream, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte }, { now: () => Date.now() })
      await cached.read('app', big)
      upstream.set({ faults: [{ on: blobs, cutAfter: mebibyte, times: 1 }] })
      const release = upstream.hold(blobs, 1000)
      const blob = await cached.open('app', big)
      upstream.set({ faults: [{ on: blobs, status: 503, times: 3 }] })
      release()
      expect(bytes.equals(await readAll(blob))).toBe(true)
    })

    it('past it an empty answer is none', async () => {
      const { cached, upstream, big } = await startOnSmallDisk({ free: 2 * mebibyte })
      await cached.read('app', big)
      upstream.set({ quirks: { chunked: true }, faults: [{ on: blobs, shortBy: size }] })
      await expect(cached.read('app', big)).rejects.toThrow(/upstream up/)
    })

    it('is used again by itself when there is room', async () => {
      const { disk, clock, cached, big, bytes } = await startOnSmallDisk({ free: 2 * mebibyte })
      await cached.read('app', big)
      disk.free()
      clock.advance(30_000)
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.settled()
      expect((await cached.stored(big))?.equals(bytes)).toBe(true)
      await cached.expectNothingLeft()
    })

    it('keeps manifests being pulled, by tag and digest', async () => {
      const { cached, upstream } = await startOnSmallDisk({ free: 0 })
      const raw = JSON.stringify({ schemaVersion: 2, annotations: { a: 'x'.repeat(500_000) } })
      upstream.push('other', { manifests: { m: { raw } }, tags: { 1: 'm' } })
      expect(Buffer.from((await cached.manifest('other', '1')).bytes).toString()).toBe(raw)
      expect(cached.count('storage-failure')).toBe(1)
    })
  },
)

describe.skipIf(noSmallDisk)('a folder that can only be read', () => {
  it.each(['partial', 'blobs'])('%s: fails no pull, and is told', async (name) => {
    const content = { app: { blobs: { big: { size, seed: 9 } } } }
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream)
    mountReadOnly(path.join(cached.folder, name))
    const bytes = upstream.content.bytes('app', 'big')
    for (let i = 0; i < 2; i++) {
      expect(bytes.equals(await cached.read('app', upstream.content.digest('app', 'big')))).toBe(true)
    }
    await cached.expectNothingLeft()
    expect(cached.count('storage-failure')).toBeGreaterThan(0)
  })
})

describe.skipIf(noSmallDisk)('a disk that takes no more files', () => {
  it('fails no pull though the blob that was filled cannot be put in place', async () => {
    const content = { app: { blobs: { big: { size, seed: 9 } } } }
    // The root, and what a store and a database make at the start; the partial file is the last one there is room for.
    const disk = mountSmallDisk({ size: 32 * mebibyte, files: 10 })
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream, { folder: path.join(disk.folder, 'data') })
    const big = upstream.content.digest('app', 'big')
    const bytes = upstream.content.bytes('app', 'big')
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    await cached.expectNothingLeft()
    expect(await cached.stored(big)).toBeUndefined()
    expect(cached.count('storage-failure')).toBeGreaterThan(0)
  })
})

import { describe, expect, it } from 'vitest'
import { readAll, startCached, type CachedOptions } from '../helpers/cached.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 24 * mebibyte
const blobs = /GET .*blobs/

async function startBoth(options: Omit<UpstreamOptions, 'content'> = {}, cachedOptions: CachedOptions = {}) {
  const content = {
    app: {
      blobs: { config: '{}', big: { size, seed: 5 }, small: { size: 100_000, seed: 6 } },
      manifests: { m: { config: 'config', layers: ['big', 'small'] } },
      tags: { 1: 'm' },
    },
  }
  const upstream = await startUpstream({ ...options, content })
  const cached = await startCached(upstream, cachedOptions)
  await cached.manifest('app', '1')
  const digest = (name: string) => upstream.content.digest('app', name)
  return { upstream, cached, big: digest('big'), small: digest('small'), bytes: upstream.content.bytes('app', 'big') }
}

describe('a large blob', () => {
  it('is fetched over parallel ranges, no byte twice', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(blobs, 0)
    const reading = cached.read('app', big)
    await upstream.asked(blobs)
    release()
    expect(bytes.equals(await reading)).toBe(true)
    await cached.expectNothingLeft()
    expect(upstream.sentAgain(big)).toBe(0)
    expect(upstream.served(big)).toHaveLength(6)
  })

  it('uses up to 4 connections at once, and not before the upstream has shown that it serves ranges', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(blobs, mebibyte)
    const reading = cached.read('app', big)
    await upstream.asked(/blobs.* 206/, 4)
    expect(upstream.open).toBe(4)
    release()
    expect(bytes.equals(await reading)).toBe(true)
    await cached.expectNothingLeft()
  })

  it('comes by one stream where Range is ignored', async () => {
    const { upstream, cached, big, bytes } = await startBoth({ quirks: { noRange: true } })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    expect(upstream.count(blobs)).toBe(1)
    await cached.expectNothingLeft()
  })

  it('comes by one stream after the ETag has changed between ranges', async () => {
    const { upstream, cached, big, bytes } = await startBoth({ quirks: { changingETag: true } })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    expect(upstream.sentAgain(big)).toBe(0)
    await cached.expectNothingLeft()
  })

  it('comes whole where Range is ignored from the middle on', async () => {
    const { upstream, cached, big, bytes } = await startBoth({ faults: [{ on: blobs, cutAfter: mebibyte, times: 1 }] })
    const release = upstream.hold(blobs, 1000)
    const blob = await cached.open('app', big)
    upstream.set({ quirks: { noRange: true } })
    release()
    expect(bytes.equals(await readAll(blob))).toBe(true)
    await cached.expectNothingLeft()
  })

  it.each([1, 2])('comes over %d connections where more are refused', async (connections) => {
    const { upstream, cached, big, bytes } = await startBoth({ quirks: { connections } })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    expect(upstream.count(/blobs.* 429/)).toBeLessThanOrEqual(3)
    expect(upstream.sentAgain(big)).toBeLessThan(mebibyte)
    await cached.expectNothingLeft()
  })

  it('survives cuts, errors and stalls on several of its connections at once', async () => {
    const faults = [
      { on: blobs, cutAfter: mebibyte, times: 3 },
      { on: blobs, stallAfter: 2 * mebibyte, times: 2 },
      { on: blobs, status: 500, times: 1 },
    ]
    const { cached, big, bytes } = await startBoth({ faults }, { fill: { stallAfter: 150 } })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    await cached.expectNothingLeft()
  })
})

describe('a range of a cold blob', () => {
  const tail = { start: size - 1000, end: size }

  it('is asked for first and answered while the rest is still to come', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(/blobs/, 5000)
    const blob = await cached.open('app', big, tail)
    expect((await readAll(blob)).equals(bytes.subarray(tail.start))).toBe(true)
    expect(upstream.received.find(({ url }) => url.includes('blobs'))?.headers.range).toBe(
      `bytes=${tail.start}-${size - 1}`,
    )
    release()
    await cached.settled()
    expect((await cached.stored(big))?.equals(bytes)).toBe(true)
    expect(upstream.sentAgain(big)).toBe(0)
    await cached.expectNothingLeft()
  })

  it.each([
    ['of a large one', 'big', tail],
    ['of a small one', 'small', { start: 50_000, end: 60_000 }],
  ] as const)('%s is never stored as the blob (case 44, serverless-registry 147)', async (_, name, range) => {
    const { upstream, cached } = await startBoth({}, { fill: { complete: 'never' } })
    const digest = upstream.content.digest('app', name)
    const whole = upstream.content.bytes('app', name)
    expect((await cached.read('app', digest, range)).equals(whole.subarray(range.start, range.end))).toBe(true)
    await cached.settled()
    const stored = await cached.stored(digest)
    if (stored) expect(stored.equals(whole)).toBe(true)
    expect((await cached.read('app', digest)).equals(whole)).toBe(true)
    await cached.expectNothingLeft()
  })

  it('costs only that range where nothing more is to be fetched', async () => {
    const { upstream, cached, big } = await startBoth({}, { fill: { complete: 'never' } })
    await cached.read('app', big, tail)
    await cached.settled()
    expect(upstream.served(big)).toEqual([[tail.start, size]])
  })

  it('is answered from a fill that runs, without a second request for what is coming', async () => {
    const { upstream, cached, big, bytes } = await startBoth({}, { fill: { connections: 1 } })
    const release = upstream.hold(blobs, 1000)
    const whole = cached.read('app', big)
    await upstream.asked(blobs)
    const part = cached.read('app', big, { start: 500, end: 100_000 })
    release()
    expect((await part).equals(bytes.subarray(500, 100_000))).toBe(true)
    expect(bytes.equals(await whole)).toBe(true)
    expect(upstream.sentAgain(big)).toBe(0)
    await cached.expectNothingLeft()
  })

  it('far ahead of a fill that runs is fetched at once', async () => {
    const { upstream, cached, big, bytes } = await startBoth({}, { fill: { connections: 4 } })
    const release = upstream.hold(/blobs/, 5000)
    const whole = cached.read('app', big)
    await upstream.asked(blobs, 2)
    expect((await cached.read('app', big, tail)).equals(bytes.subarray(tail.start))).toBe(true)
    release()
    expect(bytes.equals(await whole)).toBe(true)
    await cached.expectNothingLeft()
  })

  it('from an upstream that ignores Range is waited for', async () => {
    const { cached, big, bytes } = await startBoth({ quirks: { noRange: true } })
    expect((await cached.read('app', big, tail)).equals(bytes.subarray(tail.start))).toBe(true)
    await cached.expectNothingLeft()
  })

  it('of a warm blob comes from the store', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    await cached.read('app', big)
    await cached.settled()
    upstream.forget()
    expect((await cached.read('app', big, { start: 7, end: 9 })).equals(bytes.subarray(7, 9))).toBe(true)
    expect(upstream.requests).toEqual([])
  })
})

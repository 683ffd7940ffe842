import { existsSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import { Layout } from '../../src/store/layout.ts'
import { readAll, startCached, type CachedOptions } from '../helpers/cached.ts'
import { makeClock } from '../helpers/clock.ts'
import { startUpstream } from '../helpers/upstream.ts'

const size = 200_000
const day = 24 * 3_600_000

/** Three images of one layer each, pulled one after the other, `a` first. */
async function startPulled(options: CachedOptions = {}) {
  const image = (name: string) => ({
    blobs: { c: '{}', l: { size, seed: name.charCodeAt(0) } },
    manifests: { m: { config: 'c', layers: ['l'] } },
    tags: { 1: 'm' },
  })
  const upstream = await startUpstream({ content: { a: image('a'), b: image('b'), c: image('c') } })
  const clock = makeClock()
  const cached = await startCached(upstream, { now: () => clock.now(), ...options })
  const layer = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, upstream.content.digest(name, 'l')]))
  for (const name of ['a', 'b', 'c']) {
    clock.advance(1000)
    await cached.manifest(name, '1')
    await cached.read(name, layer[name]!)
    await cached.settled()
  }
  const kept = async () => {
    const stored = await Promise.all(
      Object.entries(layer).map(async ([name, digest]) => ((await cached.stored(digest)) ? name : '')),
    )
    return stored.join('')
  }
  return { upstream, cached, clock, layer, kept }
}

const fakeDigest = (n: number) => `sha256:${n.toString(16).padStart(64, '0')}` as Digest

describe('a store over its limit', () => {
  const keep = { maxSize: 2.5 * size }

  it('lets the least recently used go', async () => {
    const { cached, kept } = await startPulled({ keep })
    await cached.cache.evict()
    expect(await kept()).toBe('bc')
  })

  it('counts a hit as a use', async () => {
    const { cached, clock, layer, kept } = await startPulled()
    clock.advance(1000)
    await cached.read('a', layer.a!)
    expect((await cached.metadata.listEvictableBlobs(9)).at(-1)!.digest).toBe(layer.a)
    expect(await kept()).toBe('abc')
  })

  it('is brought under it also where thousands that may not go have lain longest', async () => {
    const manifests = { m: { layers: Array.from({ length: 2_500 }, (_, i) => ({ of: fakeDigest(i), size: 10 })) } }
    const upstream = await startUpstream({ content: { pinned: { manifests, tags: { 1: 'm' } } } })
    const cached = await startCached(upstream, { keep: { maxSize: 25_100, pins: ['up/pinned:1'] } })
    // The round of the start knows nothing of what comes now.
    await cached.cache.evict()
    await cached.manifest('pinned', '1')
    const now = Date.now()
    for (let i = 0; i < 2_600; i++) await cached.metadata.blobStored(fakeDigest(i), 10, now + i)
    await cached.cache.evict()
    expect(await cached.metadata.storedBytes()).toBeLessThanOrEqual(25_100)
    expect(await cached.metadata.findStoredBlob(fakeDigest(0))).toBeDefined()
  })

  it('keeps what is pinned', async () => {
    const { cached, kept } = await startPulled({ keep: { ...keep, pins: ['up/a:1'] } })
    await cached.cache.evict()
    expect(await kept()).toBe('ac')
  })

  it('is brought under it also where a pinned manifest is none', async () => {
    const odd = { manifests: { m: { raw: 'no JSON' } }, tags: { 1: 'm' } }
    const upstream = await startUpstream({ content: { odd } })
    const cached = await startCached(upstream, { keep: { maxSize: 10, pins: ['up/odd:1'] } })
    await cached.cache.evict()
    await cached.manifest('odd', '1')
    for (let i = 0; i < 3; i++) await cached.metadata.blobStored(fakeDigest(i), 10, i)
    await cached.cache.evict()
    expect(await cached.metadata.storedBytes()).toBeLessThanOrEqual(10)
  })

  it('keeps what is being read, and evicts it when that is over', async () => {
    const { cached, layer, kept } = await startPulled({ keep: { maxSize: size / 2 } })
    const reading = await cached.open('a', layer.a!)
    await cached.settled()
    await cached.cache.evict()
    expect(await kept()).toBe('a')
    await readAll(reading)
    reading.close()
    await cached.cache.evict()
    expect(await kept()).toBe('')
  })

  it('fetches again what was evicted, for a client that asks, and its HEAD knows it all the time', async () => {
    const { upstream, cached, layer } = await startPulled({ keep: { maxSize: 0 } })
    await cached.cache.evict()
    expect(await cached.stored(layer.a!)).toBeUndefined()
    const head = await cached.registry.headBlob('a' as never, layer.a as Digest)
    expect(head.size).toBe(size)
    expect((await cached.read('a', layer.a!)).equals(upstream.content.bytes('a', 'l'))).toBe(true)
  })
})

it('fetches again what is evicted at the very moment it is asked for, by whom and in what way whatsoever', async () => {
  const { upstream, cached, layer } = await startPulled({ keep: { maxSize: 0 } })
  let over = false
  const evicting = (async () => {
    while (!over) await cached.cache.evict()
  })()
  const pull = async (name: string, turn: number) => {
    const bytes = upstream.content.bytes(name, 'l')
    const range = turn % 3 === 0 ? { start: 1000 * turn, end: size } : undefined
    const got = await cached.read(name, layer[name]!, range)
    expect(got.equals(range ? bytes.subarray(range.start) : bytes), `${name}, turn ${turn}`).toBe(true)
    expect((await cached.registry.headBlob(name as never, layer[name] as Digest)).size).toBe(size)
  }
  for (let turn = 0; turn < 60; turn++) await Promise.all(['a', 'a', 'b', 'c'].map((name) => pull(name, turn)))
  over = true
  await evicting
  expect(cached.count('evicted')).toBeGreaterThan(10)
  await cached.expectNothingLeft()
})

it('lets go of what lay idle too long, and of nothing else', async () => {
  const { cached, clock, layer, kept } = await startPulled({ keep: { maxIdle: () => day } })
  clock.advance(day)
  await cached.read('b', layer.b!)
  clock.advance(1000)
  await cached.cache.evict()
  expect(await kept()).toBe('b')
})

describe('manifests', () => {
  it('stay when blobs must go: they make stale pulls possible', async () => {
    const { upstream, cached, clock, kept } = await startPulled({ keep: { maxSize: 0 } })
    await cached.cache.evict()
    expect(await kept()).toBe('')
    await upstream.stop()
    clock.advance(day)
    expect((await cached.manifest('a', '1')).stale).toBeDefined()
  })

  it('that lay idle too long go, and are fetched again when they are asked for', async () => {
    const { upstream, cached, clock } = await startPulled({ keep: { maxIdle: () => day } })
    clock.advance(2 * day)
    await cached.cache.evict()
    expect(await cached.metadata.manifestBytes()).toBe(0)
    upstream.forget()
    expect((await cached.manifest('a', '1')).stale).toBeUndefined()
    expect(upstream.count(/GET .*manifests/)).toBeGreaterThan(0)
  })
})

describe('scrubbing', () => {
  it('puts a blob aside whose bytes have changed, and the next pull fetches it again', async () => {
    const { upstream, cached, clock, layer } = await startPulled()
    writeFileSync(new Layout(cached.folder).blob(layer.a as Digest), Buffer.alloc(size))
    expect(await cached.cache.scrub()).toBe(0)
    clock.advance(15 * day)
    expect(await cached.cache.scrub()).toBe(1)
    expect(cached.count('wrong-content')).toBe(1)
    expect(await cached.stored(layer.a!)).toBeUndefined()
    expect((await cached.read('a', layer.a!)).equals(upstream.content.bytes('a', 'l'))).toBe(true)
    expect(existsSync(new Layout(cached.folder).quarantined(layer.a as Digest))).toBe(true)
  })
})

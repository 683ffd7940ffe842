import { describe, expect, it } from 'vitest'
import { ReadAhead } from '../../src/cache/read-ahead.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { parseRepositoryName } from '../../src/oci/reference.ts'
import { startCached } from '../helpers/cached.ts'
import { startUpstream } from '../helpers/upstream.ts'

const fakeDigest = (n: number) => `sha256:${n.toString(16).padStart(64, '0')}` as Digest

const layers = ['l1', 'l2', 'l3', 'l4', 'l5']

async function startImage(readAhead: boolean) {
  const blobs = Object.fromEntries(layers.map((name, i) => [name, { size: 50_000, seed: i }]))
  const content = {
    app: { blobs: { c: '{"os":"linux"}', ...blobs }, manifests: { m: { config: 'c', layers } }, tags: { 1: 'm' } },
  }
  const upstream = await startUpstream({ content })
  const cached = await startCached(upstream, { readAhead })
  const digest = (name: string) => upstream.content.digest('app', name)
  const layersAsked = () => upstream.requests.filter((line) => /GET .*blobs/.test(line)).length
  return { upstream, cached, digest, layersAsked }
}

describe('read-ahead', () => {
  it('fetches all layers of an image once its first is asked for, each once', async () => {
    const { cached, digest, upstream } = await startImage(true)
    await cached.manifest('app', '1')
    await cached.read('app', digest('l2'))
    await cached.settled()
    for (const name of layers) expect(await cached.stored(digest(name)), name).toBeDefined()
    for (const name of layers) await cached.read('app', digest(name))
    expect(upstream.count(/GET .*blobs/)).toBe(layers.length)
  })

  it('fetches them once the config is asked for', async () => {
    const { cached, digest } = await startImage(true)
    await cached.manifest('app', '1')
    await cached.read('app', digest('c'))
    await cached.settled()
    for (const name of layers) expect(await cached.stored(digest(name)), name).toBeDefined()
  })

  it('does nothing for a manifest that is only looked at', async () => {
    const { cached, layersAsked } = await startImage(true)
    await cached.manifest('app', '1')
    await cached.settled()
    expect(layersAsked()).toBe(0)
  })

  it('fetches so many layers at once and no more; the rest follow as these end', async () => {
    const descriptor = (n: number) => ({ mediaType: 'layer', digest: fakeDigest(n), size: n })
    const layers = Array.from({ length: 60 }, (_, n) => descriptor(n))
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, config: descriptor(99), layers }))
    const ends: (() => void)[] = []
    const ahead = new ReadAhead(() => new Promise((end) => ends.push(end)))
    const name = parseRepositoryName('app')
    ahead.manifestServed(name, { digest: fakeDigest(100), mediaType: 'manifest', size: bytes.length, bytes })
    ahead.blobAsked(name, fakeDigest(7))
    expect(ends).toHaveLength(24)
    ends[0]!()
    await new Promise((resolve) => setImmediate(resolve))
    expect(ends).toHaveLength(25)
    for (let ended = 1; ended < ends.length; ended++) {
      ends[ended]!()
      await new Promise((resolve) => setImmediate(resolve))
    }
    // The one that was asked for is fetched by whoever asked.
    expect(ends).toHaveLength(59)
  })

  it('can be switched off for an upstream', async () => {
    const { cached, digest, layersAsked } = await startImage(false)
    await cached.manifest('app', '1')
    await cached.read('app', digest('l1'))
    await cached.settled()
    expect(layersAsked()).toBe(1)
  })

  it('does not take the config of one platform of an index for a pull', async () => {
    const child = {
      blobs: { c: '{}', l: 'layer' },
      manifests: { m: { config: 'c', layers: ['l'] }, i: { manifests: ['m'] } },
    }
    const upstream = await startUpstream({ content: { app: { ...child, tags: { 1: 'i' } } } })
    const cached = await startCached(upstream, { readAhead: true })
    await cached.manifest('app', '1')
    await cached.manifest('app', upstream.content.digest('app', 'm'))
    await cached.read('app', upstream.content.digest('app', 'c'))
    await cached.settled()
    expect(upstream.count(/GET .*blobs/)).toBe(1)
  })

  it('waits for a layer that tells which image is pulled, where two share one', async () => {
    const image = (own: string) => ({ config: 'c', layers: ['shared', own] })
    const blobs = { c: '{}', shared: 'shared layer', mine: 'one platform', other: 'another platform' }
    const content = { app: { blobs, manifests: { a: image('mine'), b: image('other') }, tags: { a: 'a', b: 'b' } } }
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream, { readAhead: true })
    for (const tag of ['a', 'b']) await cached.manifest('app', tag)
    for (const name of ['c', 'shared', 'mine']) await cached.read('app', upstream.content.digest('app', name))
    await cached.settled()
    expect(await cached.stored(upstream.content.digest('app', 'other'))).toBeUndefined()
  })
})

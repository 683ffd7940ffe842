import { describe, expect, it } from 'vitest'
import { Bandwidth, type Turn } from '../../src/fills/bandwidth.ts'
import { startCached } from '../helpers/cached.ts'
import { startUpstream } from '../helpers/upstream.ts'

it('holds fetches to the cap', async () => {
  const bandwidth = new Bandwidth(1_000_000)
  const started = performance.now()
  for (let i = 0; i < 10; i++) await bandwidth.take(30_000, () => 'wanted')
  // Ten times 30 ms, less the last, which is paid by whoever comes next, and a small start.
  expect(performance.now() - started).toBeGreaterThan(200)
})

it('serves small blobs first, then who is waited for, then who is ahead', async () => {
  const bandwidth = new Bandwidth(1_000_000)
  const order: string[] = []
  const take = (turn: Turn) => bandwidth.take(60_000, () => turn).then(() => order.push(turn))
  await Promise.all((['ahead', 'ahead', 'ahead', 'wanted', 'small'] as const).map(take))
  // The first found nobody before it.
  expect(order).toEqual(['ahead', 'small', 'wanted', 'ahead', 'ahead'])
})

it('does not hold anyone without a cap', async () => {
  await new Bandwidth(Infinity).take(1e12, () => 'ahead')
})

describe('a cap on an upstream', () => {
  const mebibyte = 1024 * 1024
  const content = {
    app: {
      blobs: { c: '{}', big: { size: 3 * mebibyte, seed: 1 }, small: { size: 50_000, seed: 2 } },
      manifests: { m: { config: 'c', layers: ['big', 'small'] } },
      tags: { 1: 'm' },
    },
  }

  it('is no stall of the upstream: connections that wait for their turn are kept', async () => {
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream, {
      maxBandwidth: 2 * mebibyte,
      fill: { stallAfter: 100, parallelThreshold: mebibyte },
    })
    await cached.manifest('app', '1')
    const big = upstream.content.digest('app', 'big')
    expect((await cached.read('app', big)).equals(upstream.content.bytes('app', 'big'))).toBe(true)
    expect(upstream.sentAgain(big)).toBe(0)
    await cached.expectNothingLeft()
  })
})

import { describe, expect, it } from 'vitest'
import { Slots, type SlotRequest } from '../../src/fills/slots.ts'
import { startCached } from '../helpers/cached.ts'
import { startUpstream } from '../helpers/upstream.ts'

/** Asks for connections by name and tells who has one. */
function makeDesk(limits: { total: number; perUpstream: number }) {
  const slots = new Slots(limits)
  const holders: string[] = []
  const releases = new Map<string, () => void>()
  const ask = async (who: string, request: Partial<SlotRequest> = {}) => {
    const release = await slots.acquire({ fill: {}, upstream: 'up', small: false, wanted: () => true, ...request })
    holders.push(who)
    releases.set(who, () => {
      holders.splice(holders.indexOf(who), 1)
      release()
    })
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    holders,
    ask: async (...args: Parameters<typeof ask>) => {
      void ask(...args)
      await settle()
    },
    release: async (who: string) => {
      releases.get(who)!()
      await settle()
    },
  }
}

describe('connections to upstreams', () => {
  it('are given at once up to the total, then as they come back', async () => {
    const desk = makeDesk({ total: 2, perUpstream: 2 })
    for (const who of ['a', 'b', 'c']) await desk.ask(who)
    expect(desk.holders).toEqual(['a', 'b'])
    await desk.release('a')
    expect(desk.holders).toEqual(['b', 'c'])
  })

  it('are limited for each upstream, and one that is full holds back no other', async () => {
    const desk = makeDesk({ total: 10, perUpstream: 1 })
    await desk.ask('a', { upstream: 'one' })
    await desk.ask('b', { upstream: 'one' })
    await desk.ask('c', { upstream: 'two' })
    expect(desk.holders).toEqual(['a', 'c'])
  })

  it('go to those that a reader waits for before read-ahead', async () => {
    const desk = makeDesk({ total: 1, perUpstream: 1 })
    await desk.ask('first')
    await desk.ask('ahead', { wanted: () => false })
    await desk.ask('read')
    await desk.release('first')
    expect(desk.holders).toEqual(['read'])
  })

  it('go to one whose reader has come while it waited', async () => {
    const desk = makeDesk({ total: 1, perUpstream: 1 })
    let wanted = false
    await desk.ask('first')
    await desk.ask('ahead', { wanted: () => false })
    await desk.ask('now read', { wanted: () => wanted })
    wanted = true
    await desk.release('first')
    expect(desk.holders).toEqual(['now read'])
  })

  it('are shared out evenly between blobs: one huge layer does not starve the others', async () => {
    const desk = makeDesk({ total: 2, perUpstream: 2 })
    const huge = {}
    for (const who of ['h1', 'h2', 'h3', 'h4']) await desk.ask(who, { fill: huge })
    await desk.ask('small')
    await desk.release('h1')
    expect(desk.holders).toEqual(['h2', 'small'])
    await desk.release('small')
    expect(desk.holders).toEqual(['h2', 'h3'])
  })

  it('for small blobs are beside the others, and bounded too', async () => {
    const desk = makeDesk({ total: 1, perUpstream: 1 })
    await desk.ask('huge')
    for (let i = 0; i < 20; i++) await desk.ask(`s${i}`, { small: true })
    expect(desk.holders).toHaveLength(17)
    await desk.release('s0')
    expect(desk.holders).toHaveLength(17)
    await desk.release('huge')
    expect(desk.holders).toHaveLength(17)
  })
})

describe('behind big blobs that hold every connection', () => {
  const mebibyte = 1024 * 1024

  it('small blobs and manifests come at once, and other big blobs in their turn', async () => {
    const big = (seed: number) => ({ size: 2 * mebibyte, seed })
    const content = {
      app: {
        blobs: { c: '{}', one: big(1), two: big(2), small: { size: 50_000, seed: 3 } },
        manifests: { m: { config: 'c', layers: ['one', 'two', 'small'] }, other: { config: 'c', layers: ['small'] } },
        tags: { 1: 'm', 2: 'other' },
      },
    }
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream, { limits: { total: 1, perUpstream: 1 } })
    await cached.manifest('app', '1')
    const digest = (name: string) => upstream.content.digest('app', name)
    const release = upstream.hold(new RegExp(digest('one')), 1000)
    const one = cached.read('app', digest('one'))
    await upstream.asked(new RegExp(digest('one')))
    const two = cached.read('app', digest('two'))
    await cached.read('app', digest('small'))
    await cached.manifest('app', '2')
    expect(upstream.requests.filter((line) => line.includes(digest('two')))).toEqual([])
    release()
    expect((await one).equals(upstream.content.bytes('app', 'one'))).toBe(true)
    expect((await two).equals(upstream.content.bytes('app', 'two'))).toBe(true)
  })
})

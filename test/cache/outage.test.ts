import { describe, expect, it } from 'vitest'
import { parseReference, parseRepositoryName } from '../../src/oci/reference.ts'
import { startCached } from '../helpers/cached.ts'
import { makeClock } from '../helpers/clock.ts'
import { startUpstream } from '../helpers/upstream.ts'

// With its upstream down a cached tag is as quick as ever: what could make it slow, asking and waiting, does not happen.
// How quick that is, `npm run bench -- outage` measures.

const content = { app: { blobs: { c: '{}' }, manifests: { m: { config: 'c', layers: [] } }, tags: { 1: 'm' } } }
const freshness = 60_000

async function start() {
  const upstream = await startUpstream({ content })
  const clock = makeClock()
  const { registry, events } = await startCached(upstream, { freshness, now: () => clock.now() })
  const [name, tag] = [parseRepositoryName('app'), parseReference('1')]
  const pull = () => registry.getManifest(name, tag)
  const outcomes = () => events.flatMap((event) => (event.type === 'lookup' ? [event.outcome] : []))
  await pull()
  return { upstream, clock, pull, events, outcomes }
}

/** How many of 10,000 pulls had to wait for anything. */
async function waits(pull: () => unknown, between = () => {}): Promise<number> {
  let waited = 0
  for (let i = 0; i < 10_000; i++) {
    const answer = pull()
    if (answer instanceof Promise) {
      waited++
      await answer
    }
    between()
  }
  return waited
}

describe('10,000 pulls of a cached tag while its upstream is down', () => {
  it('ask nothing and wait for nothing: each is answered within its turn, as while it is up', async () => {
    const { upstream, clock, pull, events, outcomes } = await start()
    events.length = 0
    expect(await waits(pull)).toBe(0)
    expect([events.length, new Set(outcomes())]).toEqual([10_000, new Set(['hit'])])
    await upstream.stop()
    clock.advance(freshness + 1)
    await pull()
    events.length = 0
    expect(await waits(pull)).toBe(0)
    expect([events.length, new Set(outcomes())]).toEqual([10_000, new Set(['stale'])])
  })

  it('over an hour ask ever more rarely, and all but those who ask are answered within their turn', async () => {
    const { upstream, clock, pull } = await start()
    upstream.set({ faults: [{ reset: true }] })
    clock.advance(freshness + 1)
    upstream.forget()
    const waited = await waits(pull, () => clock.advance(360))
    // Twice each: a connection that breaks is taken for one that was idle for too long.
    expect(upstream.requests.length).toBeLessThanOrEqual(2 * waited)
    expect(waited).toBeLessThan(150)
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw, type Received } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// How long a tag's meaning holds, by pattern, and what becomes of a new one. Counted in requests at the upstream.

const day = 24 * 3_600_000
const image = (config: string) => ({
  blobs: { [config]: config },
  manifests: { [config]: { config, layers: [config] } },
})
const content = { 'org/app': { ...image('one'), tags: { 1: 'one', latest: 'one' } } }

async function start(settings: Record<string, unknown>, data?: string) {
  const upstream = await startUpstream({ content })
  const clock = makeClock()
  const options = { name: 'docker.io', url: upstream.url, freshness: '1m', ...settings }
  const berth = await startBerth({ clock, upstreams: [options], ...(data && { data }) })
  const get = (reference: string, headers = {}): Promise<Received> =>
    fetchRaw(`${berth.url}/v2/org/app/manifests/${reference}`, { headers })
  const digestOf = (answer: Received) => answer.headers['docker-content-digest']
  const move = (tag: string, name: string) => {
    upstream.push('org/app', image(name))
    upstream.retag('org/app', tag, name)
    return upstream.content.digest('org/app', name)
  }
  return { upstream, clock, berth, get, digestOf, move, one: upstream.content.digest('org/app', 'one') }
}

describe('freshness', () => {
  it('goes by the first rule that fits: always is not asked about, never is each time', async () => {
    const rules = [
      { match: '*/app:1', freshness: 'always' },
      { match: 'org/*', freshness: 'never' },
    ]
    const { upstream, clock, get } = await start({ rules })
    await get('1')
    await get('latest')
    upstream.forget()
    clock.advance(365 * day)
    for (let i = 0; i < 3; i++) await get('1')
    for (let i = 0; i < 3; i++) await get('latest')
    expect(upstream.requests).toEqual(Array(3).fill('HEAD /v2/org/app/manifests/latest 200'))
  })

  it('pinned keeps the first meaning, whatever the client wants', async () => {
    const { upstream, get, digestOf, move, one, clock } = await start({ freshness: 'pinned' })
    await get('1')
    move('1', 'two')
    clock.advance(365 * day)
    upstream.forget()
    expect(digestOf(await get('1', { 'cache-control': 'no-cache' }))).toBe(one)
    expect(upstream.requests).toEqual([])
  })

  it('gives way to a client that says no-cache', async () => {
    const { upstream, get, digestOf, move } = await start({ freshness: 'always' })
    await get('1')
    const two = move('1', 'two')
    upstream.forget()
    expect(digestOf(await get('1', { 'cache-control': 'no-cache' }))).toBe(two)
    expect(upstream.count('HEAD /v2/org/app/manifests/1')).toBe(1)
  })

  it('gives way to nobody with noCache: ignore', async () => {
    const { upstream, get, digestOf, move, one } = await start({ freshness: 'always', noCache: 'ignore' })
    await get('1')
    move('1', 'two')
    upstream.forget()
    expect(digestOf(await get('1', { 'cache-control': 'no-cache' }))).toBe(one)
    expect(upstream.requests).toEqual([])
  })
})

describe('a tag with a minAge', () => {
  const minAge = { rules: [{ match: 'org/*', minAge: '3d' }] }

  it('goes on as before until the new meaning is old enough', async () => {
    const { clock, get, digestOf, move, one } = await start(minAge)
    expect(digestOf(await get('latest'))).toBe(one)
    const two = move('latest', 'two')
    clock.advance(day)
    expect(digestOf(await get('latest'))).toBe(one)
    clock.advance(2 * day)
    expect(digestOf(await get('latest'))).toBe(one)
    clock.advance(2 * day)
    expect(digestOf(await get('latest'))).toBe(two)
  })

  it('counts anew when the tag moves once more', async () => {
    const { clock, get, digestOf, move, one } = await start(minAge)
    await get('latest')
    move('latest', 'two')
    clock.advance(2 * day)
    await get('latest')
    const three = move('latest', 'three')
    clock.advance(2 * day)
    expect(digestOf(await get('latest'))).toBe(one)
    clock.advance(4 * day)
    expect(digestOf(await get('latest'))).toBe(three)
  })

  it('is not got around by digest, HEAD, Range, its blobs or another tag', async () => {
    const { upstream, berth, clock, get, move } = await start(minAge)
    await get('latest')
    const two = move('latest', 'two')
    upstream.retag('org/app', 'other', 'two')
    clock.advance(day)
    await get('latest')
    const blob = `${berth.url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'two')}`
    const config = (upstream.content.in('org/app').json('two') as { config: { digest: string } }).config.digest
    const statuses = [
      (await get(two)).status,
      (await fetchRaw(`${berth.url}/v2/org/app/manifests/${two}?ns=docker.io`, { method: 'HEAD' })).status,
      (await get('other')).status,
      (await get('other')).status,
      (await fetchRaw(blob.replace(/sha256:.*/, config), { headers: { range: 'bytes=0-0' } })).status,
    ]
    expect(statuses).toEqual([403, 403, 403, 403, 403])
    expect((await get(two)).json()).toMatchObject({ errors: [{ code: 'DENIED' }] })
    clock.advance(3 * day)
    await get('latest')
    expect([(await get(two)).status, (await get('other')).status]).toEqual([200, 200])
  })

  it('is not got around by asking for the new digest before anybody asked for the tag', async () => {
    const { upstream, berth, get, move } = await start(minAge)
    await get('latest')
    move('latest', 'two')
    upstream.push('org/app', { manifests: { index: { manifests: ['two'] } } })
    upstream.retag('org/app', 'latest', 'index')
    const app = upstream.content.in('org/app')
    const config = (app.json('two') as { config: { digest: string } }).config.digest
    const paths = ['index', 'two'].flatMap((name) => [`manifests/${app.digest(name)}`, `manifests/${app.sha512(name)}`])
    for (const path of [`blobs/${config}`, ...paths, `blobs/${config}`]) {
      for (const method of ['HEAD', 'GET']) {
        const { status } = await fetchRaw(`${berth.url}/v2/org/app/${path}`, { method })
        expect([path, method, status]).toEqual([path, method, 403])
      }
    }
  })

  it('leaves alone what no such tag has come to mean, and costs it a HEAD of each', async () => {
    const { upstream, berth, get, digestOf } = await start(minAge)
    await get('latest')
    upstream.push('org/app', image('pinned'))
    const pinned = upstream.content.digest('org/app', 'pinned')
    upstream.forget()
    expect(digestOf(await get(pinned))).toBe(pinned)
    const { config } = upstream.content.in('org/app').json('pinned') as { config: { digest: string } }
    expect((await fetchRaw(`${berth.url}/v2/org/app/blobs/${config.digest}`)).status).toBe(200)
    expect(upstream.count('HEAD /v2/org/app/manifests/latest')).toBe(1)
  })

  it('is held back after a restart too, with the upstream down', async () => {
    const { upstream, berth, clock, get, move } = await start(minAge)
    await get('latest')
    const two = move('latest', 'two')
    clock.advance(day)
    await get('latest')
    await berth.stop()
    await upstream.stop()
    const again = await startBerth({
      clock,
      data: berth.data,
      upstreams: [{ name: 'docker.io', url: upstream.url, ...minAge }],
    })
    expect((await fetchRaw(`${again.url}/v2/org/app/manifests/${two}`)).status).toBe(403)
  })
})

describe('a tag with a date', () => {
  it('is what the tag meant then', async () => {
    const { clock, get, digestOf, move, one } = await start({})
    await get('latest')
    clock.advance(2 * day)
    const two = move('latest', 'two')
    await get('latest')
    expect(digestOf(await get('latest@2030-01-01'))).toBe(one)
    expect(digestOf(await get('latest@2030-01-02'))).toBe(one)
    expect(digestOf(await get('latest@2030-01-03'))).toBe(two)
    expect(digestOf(await get('latest@2030-01-02T12:00:00Z'))).toBe(one)
  })

  it('is not known before the tag was seen, nor is a date that is none', async () => {
    const { get } = await start({})
    await get('latest')
    expect((await get('latest@2029-12-31')).json()).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] })
    expect((await get('other@2030-01-01')).status).toBe(404)
    expect((await get('latest@2030-13-77')).status).toBe(400)
  })
})

it('an upstream that does not answer keeps a client of a cached tag for no longer than patience', async () => {
  const { upstream, clock, get } = await start({ patience: '100ms' })
  await get('1')
  clock.advance(day)
  const release = upstream.hold(/manifests/)
  const started = performance.now()
  const answer = await get('1')
  release()
  expect([answer.status, answer.headers.warning]).toEqual([200, expect.stringContaining('110')])
  expect(performance.now() - started).toBeLessThan(5_000)
})

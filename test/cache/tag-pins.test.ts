import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw, type Received } from '../helpers/http.ts'
import { basic } from '../helpers/login.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Tags that mean what somebody pinned them to, whatever their upstream says. Counted in requests at the upstream.

const day = 24 * 3_600_000
const image = (config: string) => ({
  blobs: { [config]: config },
  manifests: { [config]: { config, layers: [config] } },
})
const content = { 'org/app': { ...image('one'), tags: { latest: 'one' } } }
const ada = { ...basic('ada', 'password of ada'), 'content-type': 'application/json' }
const access = { anonymous: 'pull', user: { username: 'ada', password: 'password of ada' } }

async function start(settings: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const upstream = await startUpstream({ content })
  const clock = makeClock()
  const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: '1m', ...settings }]
  const open = (data?: string) => startBerth({ clock, access, upstreams, ...more, ...(data && { data }) })
  let berth = await open()
  const get = (reference: string, headers = {}, method = 'GET'): Promise<Received> =>
    fetchRaw(`${berth.url}/v2/org/app/manifests/${reference}`, { headers, method })
  const meaning = async (headers = {}) => {
    const answer = await get('latest', headers)
    return answer.status === 200 ? answer.headers['docker-content-digest'] : answer.status
  }
  const call = async (method: string, path: string, given: Record<string, string> = {}) => {
    const name = { name: 'docker.io/org/app', ...given }
    const search = method === 'POST' ? '' : `?${new URLSearchParams(name).toString()}`
    const body = method === 'POST' ? { body: JSON.stringify(name) } : {}
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}${search}`, { method, headers: ada, ...body })
    return { status: answer.status, body: answer.json() as Record<string, unknown> }
  }
  const move = (name: string) => {
    upstream.push('org/app', image(name))
    upstream.retag('org/app', 'latest', name)
    return upstream.content.digest('org/app', name)
  }
  return {
    upstream,
    clock,
    get,
    meaning,
    call,
    move,
    one: upstream.content.digest('org/app', 'one'),
    pin: (digest: string) => call('POST', 'tag-pins', { tag: 'latest', digest }),
    release: () => call('DELETE', 'tag-pins', { tag: 'latest' }),
    restart: async () => {
      await berth.stop()
      berth = await open(berth.data)
    },
  }
}

describe('a cached tag that is pinned to a digest', () => {
  it('means that without asking, whatever the upstream says, also in a new process, until it is released', async () => {
    const { upstream, clock, meaning, get, move, one, pin, release, restart } = await start()
    await meaning()
    const two = move('two')
    clock.advance(day)
    expect(await meaning()).toBe(two)
    expect((await pin(one)).status).toBe(200)
    upstream.forget()
    for (let i = 0; i < 2; i++) {
      clock.advance(day)
      expect(await meaning()).toBe(one)
      expect((await get('latest', {}, 'HEAD')).headers['docker-content-digest']).toBe(one)
      await restart()
    }
    expect(upstream.requests).toEqual([])
    expect((await release()).body).toEqual({ removed: true })
    expect(await meaning()).toBe(two)
    expect((await release()).body).toEqual({ removed: false })
  })

  it('tells what its upstream says when somebody wants it checked, and stays what it is', async () => {
    const { upstream, meaning, move, one, pin, call } = await start()
    await meaning()
    await pin(one)
    const two = move('two')
    upstream.forget()
    expect(await meaning({ 'cache-control': 'no-cache' })).toBe(one)
    expect(upstream.requests).toEqual(['HEAD /v2/org/app/manifests/latest 200'])
    const { tag, pin: shown } = (await call('GET', 'image', { reference: 'latest' })).body
    expect(tag).toMatchObject({ digest: one, isPinned: true, movedTo: two })
    expect(shown).toMatchObject({ digest: one, by: 'ada', name: 'docker.io/org/app' })
    expect((await call('GET', 'pins')).body).toMatchObject({ tags: [{ tag: 'latest', digest: one, by: 'ada' }] })
  })

  it('is no way round minAge: what is held back cannot be pinned, nor is it served by a pin from before', async () => {
    const rules = { rules: [{ match: 'org/*', minAge: '3d' }] }
    const { clock, meaning, move, pin, one } = await start(rules)
    await meaning()
    const two = move('two')
    clock.advance(day)
    expect(await meaning()).toBe(one)
    expect((await pin(two)).status).toBe(403)
    expect(await meaning()).toBe(one)
    clock.advance(4 * day)
    await meaning()
    expect((await pin(two)).status).toBe(200)
    move('three')
    clock.advance(4 * day)
    expect(await meaning()).toBe(two)
  })

  it('is refused as before where a rule refuses the tag', async () => {
    const { get, pin, one, call } = await start({ deny: ['org/app:bad'] })
    await get('latest')
    expect((await pin(one)).status).toBe(200)
    await call('POST', 'tag-pins', { tag: 'bad', digest: one })
    expect((await get('bad')).status).toBe(403)
  })

  it('keeps its content when room is made, and that of no other', async () => {
    const { upstream, get, meaning, move, one, pin, call, clock } = await start({ readAhead: false, maxIdle: '10d' })
    const fetchAll = async (digest: string) => {
      const { layers } = (await get(digest)).json() as { layers: { digest: string }[] }
      await call('POST', 'fetch', { reference: digest })
      return layers[0]!.digest
    }
    await meaning()
    await fetchAll(one)
    const two = move('two')
    clock.advance(day)
    await meaning()
    await fetchAll(two)
    await expect
      .poll(async () => (await call('GET', 'cache')).body, { timeout: 10_000 })
      .toMatchObject({ fills: [], storage: { bytes: 6 } })
    await pin(one)
    clock.advance(30 * day)
    await call('POST', 'cache/evict')
    expect((await call('GET', 'cache')).body).toMatchObject({ storage: { bytes: 3 } })
    await upstream.stop()
    expect(await meaning()).toBe(one)
    expect((await call('GET', 'image', { reference: 'latest' })).body).toMatchObject({
      image: { layers: [{ stored: true }] },
    })
  })

  it('is pinned by administrators, to what is there, and only where it is cached', async () => {
    const { call, meaning, one, get } = await start({}, { hosted: { namespaces: ['team'] } })
    await meaning()
    expect((await call('POST', 'tag-pins', { name: 'team/app', tag: '1', digest: one })).status).toBe(400)
    const none = `sha256:${'0'.repeat(64)}`
    expect((await call('POST', 'tag-pins', { tag: 'latest', digest: none })).status).toBe(404)
    expect((await call('POST', 'tag-pins', { tag: 'latest', digest: 'one' })).status).toBe(400)
    expect(await meaning()).toBe(one)
    expect((await get('latest')).status).toBe(200)
  })
})

describe('what an upstream was last heard to say of a tag', () => {
  it('is shown beside what is served, also where no minAge holds it back: the new one could not be fetched', async () => {
    const { upstream, clock, meaning, move, one, call } = await start()
    await meaning()
    const two = move('two')
    upstream.set({ faults: [{ on: new RegExp(`GET .*${two}`), status: 503 }] })
    clock.advance(day)
    expect(await meaning()).toBe(one)
    const shown = async () => (await call('GET', 'image', { reference: 'latest' })).body
    expect(await shown()).toMatchObject({ tag: { digest: one, movedTo: two } })
    expect(await shown()).not.toHaveProperty('heldUntil')
    upstream.retag('org/app', 'latest', 'one')
    clock.advance(day)
    expect(await meaning()).toBe(one)
    expect((await shown()).tag).not.toHaveProperty('movedTo')
  })

  it('is shown with how long it is held back, where a minAge does that', async () => {
    const { clock, meaning, move, call } = await start({ rules: [{ match: 'org/*', minAge: '3d' }] })
    await meaning()
    const two = move('two')
    clock.advance(day)
    await meaning()
    expect((await call('GET', 'image', { reference: 'latest' })).body).toMatchObject({
      tag: { movedTo: two },
      heldUntil: clock.now() + 3 * day,
    })
  })
})

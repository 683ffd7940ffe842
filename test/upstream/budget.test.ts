import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Budget, rateFigures } from '../../src/upstream/budget.ts'
import { parseReference, parseRepositoryName } from '../../src/oci/reference.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Pulls that an upstream counts: heard of, kept for what is not cached, spent as the account that has some.

const image = (config: string) => ({
  blobs: { [config]: config },
  manifests: { [config]: { config, layers: [config] } },
})
const content = { 'org/app': { ...image('one'), tags: { 1: 'one', 2: 'one', 3: 'one' } } }

describe('figures of a rate limit', () => {
  it.each([
    ['Docker Hub', { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }, [76, 100, 21600]],
    ['the x- form', { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999' }, [4999, 5000, undefined]],
    ['only what is left', { 'ratelimit-remaining': '0' }, [0, undefined, undefined]],
  ])('%s', (_, headers, [remaining, limit, window]) => {
    expect(rateFigures(headers)).toEqual({ remaining, limit, window })
  })

  it.each([{}, { 'ratelimit-remaining': 'many' }])('are none in %j', (headers) => {
    expect(rateFigures(headers)).toBeUndefined()
  })
})

describe('a budget', () => {
  const start = () => {
    const clock = makeClock()
    return { clock, budget: new Budget('up.test', 10, () => clock.now()) }
  }

  it('is scarce at its reserve, until what was heard is a quarter of an hour old', () => {
    const { clock, budget } = start()
    budget.heard({ 'ratelimit-remaining': '11;w=21600' })
    expect(budget.scarce).toBe(false)
    budget.heard({ 'ratelimit-remaining': '10;w=21600' })
    expect(budget.scarce).toBe(true)
    clock.advance(15 * 60_000)
    expect(budget.scarce).toBe(false)
  })

  it('refused without a time waits a second, then longer (ghcr.io); with a time, that long', () => {
    const { clock, budget } = start()
    budget.refused({}, 'pull')
    expect([budget.has('pull'), budget.has('head'), budget.has('other')]).toEqual([false, true, true])
    clock.advance(1_000)
    expect(budget.has('pull')).toBe(true)
    budget.refused({}, 'pull')
    clock.advance(1_000)
    expect(budget.has('pull')).toBe(false)
    budget.refused({ 'retry-after': '600' }, 'head')
    clock.advance(599_000)
    expect([budget.has('pull'), budget.has('head')]).toEqual([false, false])
    clock.advance(1_000)
    expect([budget.has('pull'), budget.has('head')]).toEqual([true, true])
  })
})

describe('with pulls at the reserve', () => {
  it('tags that are cached are served unchecked, and a new tag of a known manifest costs a HEAD alone', async () => {
    const clock = makeClock()
    const upstream = await startUpstream({ content, rate: { limit: 100, remaining: 6 }, clock })
    const settings = { name: 'docker.io', url: upstream.url, freshness: 'never', reserve: 5 }
    const berth = await startBerth({ clock, upstreams: [settings] })
    const get = async (tag: string) => (await fetchRaw(`${berth.url}/v2/org/app/manifests/${tag}`)).status
    expect(await get('1')).toBe(200)
    upstream.forget()
    for (let i = 0; i < 5; i++) expect(await get('1')).toBe(200)
    expect(upstream.requests).toEqual([])
    expect(await get('2')).toBe(200)
    expect(upstream.requests).toEqual(['HEAD /v2/org/app/manifests/2 200'])
    expect(upstream.rateRemaining).toBe(5)
    clock.advance(16 * 60_000)
    upstream.forget()
    await get('1')
    expect(upstream.requests).toEqual(['HEAD /v2/org/app/manifests/1 200'])
  })

  it('a registry that refuses HEAD is asked for a new tag once (GitHub Enterprise)', async () => {
    const quirks = { headManifest: 405 }
    const upstream = await startUpstream({ content, quirks, rate: { limit: 100, remaining: 6 } })
    const settings = { name: 'docker.io', url: upstream.url, reserve: 10 }
    const berth = await startBerth({ upstreams: [settings] })
    await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)
    upstream.push('org/app', { ...image('two'), tags: { 4: 'two' } })
    upstream.forget()
    expect((await fetchRaw(`${berth.url}/v2/org/app/manifests/4`)).status).toBe(200)
    expect(upstream.count('GET /v2/org/app/manifests/')).toBe(1)
  })

  it('and none left, what is not cached is refused here for as long as the upstream said, and it is asked once', async () => {
    const clock = makeClock()
    const upstream = await startUpstream({ content, rate: { limit: 100, remaining: 0, retryAfter: 120 } })
    const berth = await startBerth({ clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
    for (let i = 0; i < 3; i++) {
      const answer = await fetchRaw(`${berth.url}/v2/org/app/manifests/${i + 1}`)
      expect([answer.status, answer.headers['retry-after']]).toEqual([429, '120'])
    }
    expect(upstream.count('GET /v2/org/app/manifests')).toBe(1)
    upstream.set({ rate: { limit: 100 } })
    clock.advance(120_000)
    expect((await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)).status).toBe(200)
  })
})

describe('several accounts', () => {
  const auth = { kind: 'bearer', users: { ci: 'pw', dev: 'pw', all: 'pw' }, anonymous: false } as const
  const source = (username: string) => ({
    label: username,
    get: () => Promise.resolve({ kind: 'password' as const, username, password: 'pw' }),
    forget: () => false,
  })
  const asker = (caller: string) => ({ caller, noCache: false, mayReadPrivate: 'granted' as const })

  async function start() {
    const upstream = await startUpstream({ content, auth })
    const everything = ['**']
    const reader = await startReader({
      url: upstream.url,
      accounts: [
        { name: 'ci', repositories: ['org/*'], callers: ['ci-*'], source: source('ci') },
        { name: 'dev', repositories: ['org/*'], callers: everything, source: source('dev') },
        { name: 'all', repositories: everything, callers: everything, source: source('all') },
      ],
    })
    const pull = async (caller: string, tag = '1') =>
      reader.registry.getManifest(parseRepositoryName('org/app'), parseReference(tag), asker(caller))
    const spent = () =>
      reader.events.flatMap((event) => (event.type === 'pull-spent' ? [[event.account, event.caller]] : []))
    return { upstream, reader, pull, spent }
  }

  it('are each used for the repositories and callers they are for, and spending is told by account and caller', async () => {
    const { pull, spent } = await start()
    await pull('ci-7')
    await pull('10.0.0.1')
    expect(spent()).toEqual([
      ['ci', 'ci-7'],
      ['dev', '10.0.0.1'],
    ])
  })

  it('are chosen by the address of the client, as set', async () => {
    const files = makeFolder({ ci: 'pw', all: 'pw' })
    const account = (name: string, callers: string[]) => ({
      name,
      callers,
      username: name,
      passwordFile: path.join(files, name),
    })
    const upstream = await startUpstream({ content, auth })
    const settings = { accounts: [account('ci', ['10.9.*']), account('all', ['127.0.0.*'])] }
    const berth = await startBerth({
      access: { private: 'open' },
      upstreams: [{ name: 'docker.io', url: upstream.url, ...settings }],
    })
    expect((await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)).status).toBe(200)
    const metrics = (await fetchRaw(`${berth.url}/metrics`)).text()
    expect(metrics).toContain('berth_upstream_pulls_spent_total{upstream="docker.io",account="all"} 1')
  })

  it('stand in for one that has no pulls left, in the same request', async () => {
    const { upstream, reader, pull, spent } = await start()
    const refusal = { on: /GET .*manifests/, status: 429, headers: { 'retry-after': '60' }, times: 1 }
    upstream.set({ faults: [refusal] })
    await pull('10.0.0.1')
    await pull('10.0.0.1')
    expect(spent().map(([account]) => account)).toEqual(['all', 'all'])
    reader.clock.advance(60_000)
    await pull('10.0.0.1')
    expect(spent().map(([account]) => account)).toEqual(['all', 'all', 'dev'])
  })
})

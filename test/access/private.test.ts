import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, bearer, startWithUsers, tokenFor } from '../helpers/login.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// What only our credentials can see at an upstream is not shown to everybody here.

const image = (text: string) => ({
  blobs: { [text]: text },
  manifests: { m: { config: text, layers: [text] } },
  tags: { 1: 'm' },
})
const content = { 'org/open': image('open'), 'org/secret': image('secret') }
const credentials = { username: 'me', password: 'pw' }
const auth = { kind: 'bearer', users: { me: 'pw' }, private: ['org/secret'] } as const

async function start(access: Record<string, unknown> = {}) {
  const upstream = await startUpstream({ content, auth })
  const clock = makeClock()
  const settings = { access, upstreams: [{ name: 'docker.io', url: upstream.url, credentials }] }
  const berth = await startBerth({ clock, ...settings })
  const status = async (path: string, at = berth.url) => (await fetchRaw(`${at}/v2/${path}`)).status
  return { upstream, clock, berth, status, settings }
}

const everyWay = ({ upstream }: Awaited<ReturnType<typeof start>>) => [
  'org/secret/manifests/1',
  `org/secret/manifests/${upstream.content.digest('org/secret', 'm')}`,
  `org/secret/blobs/${upstream.content.digest('org/secret', 'secret')}`,
  'org/secret/tags/list',
  `org/secret/referrers/${upstream.content.digest('org/secret', 'm')}`,
  'org/secret/manifests/1?ns=docker.io',
]

describe('a repository that is private at its upstream', () => {
  it('is DENIED in every way, cold', async () => {
    const started = await start()
    for (const path of everyWay(started)) expect([path, await started.status(path)]).toEqual([path, 403])
  })

  it('is DENIED in every way, warm, after a restart, and with the upstream down', async () => {
    const started = await start({ private: 'open' })
    for (const path of everyWay(started)) expect([path, await started.status(path)]).toEqual([path, 200])
    await started.berth.stop()
    const again = await startBerth({ data: started.berth.data, clock: started.clock, ...started.settings, access: {} })
    for (const path of everyWay(started)) expect([path, await started.status(path, again.url)]).toEqual([path, 403])
    await started.upstream.stop()
    started.clock.advance(7 * 24 * 3_600_000)
    for (const path of everyWay(started)) expect([path, await started.status(path, again.url)]).toEqual([path, 403])
  })

  it('does not lend its blobs to a public one', async () => {
    const started = await start({ private: 'open' })
    const blob = started.upstream.content.digest('org/secret', 'secret')
    expect(await started.status(`org/secret/blobs/${blob}`)).toBe(200)
    expect(await started.status(`org/open/blobs/${blob}`)).toBe(404)
  })
})

describe('opened by access.policy', () => {
  const policy = [{ match: 'docker.io/org/**', private: ['bob', 'team'] }]

  it('is for those it names, by Basic and by token; others are DENIED, and nobody is asked to log in', async () => {
    const upstream = await startUpstream({ content, auth })
    const berth = await startWithUsers({
      access: { policy },
      upstreams: [{ name: 'docker.io', url: upstream.url, credentials }],
    })
    const get = (headers: Record<string, string>) => fetchRaw(`${berth.url}/v2/org/secret/manifests/1`, { headers })
    expect((await get({})).headers['www-authenticate']).toContain('scope="repository:org/secret:pull"')
    for (const [user, status] of [
      ['bob', 200],
      ['carl', 200],
      ['root', 200],
      ['eve', 403],
    ] as const) {
      const token = await tokenFor(berth.url, 'repository:org/secret:pull', user)
      for (const headers of [basic(user), bearer(token)])
        expect([user, (await get(headers)).status]).toEqual([user, status])
    }
    const anonymous = bearer(await tokenFor(berth.url, 'repository:org/secret:pull'))
    expect((await get(anonymous)).status).toBe(401)
    expect((await fetchRaw(`${berth.url}/v2/org/open/manifests/1`)).status).toBe(200)
  })
})

describe('a public repository', () => {
  it('is served, the upstream having been asked once without a login', async () => {
    const { upstream, status } = await start()
    for (let i = 0; i < 3; i++) expect(await status('org/open/manifests/1')).toBe(200)
    const asked = upstream.received.filter(({ url, status }) => url.includes('/manifests/') && status === 200)
    expect(asked.map(({ line }) => line.split(' ')[0])).toEqual(['HEAD', 'GET'])
  })

  it('that becomes private is private here within the hour', async () => {
    const { upstream, clock, status } = await start()
    expect(await status('org/open/manifests/1')).toBe(200)
    upstream.set({ auth: { ...auth, private: ['org/open'] } })
    upstream.expireTokens()
    clock.advance(3_600_000)
    expect(await status('org/open/manifests/1')).toBe(403)
  })

  it('costs an upstream in trouble one question a minute, not one a pull, when its hour is over', async () => {
    const { upstream, clock, status } = await start()
    expect(await status('org/open/manifests/1')).toBe(200)
    clock.advance(3_600_000)
    upstream.set({ faults: [{ status: 429 }] })
    upstream.forget()
    for (let i = 0; i < 50; i++) expect(await status('org/open/manifests/1')).toBe(200)
    expect(upstream.requests.length).toBeLessThanOrEqual(4)
  })

  it('keeps no client of what is cached waiting for an upstream that says nothing', async () => {
    const { upstream, clock, status } = await start()
    expect(await status('org/open/manifests/1')).toBe(200)
    clock.advance(3_600_000)
    upstream.set({ faults: [{ silent: true }] })
    const began = performance.now()
    expect(await Promise.all([1, 2, 3].map(() => status('org/open/manifests/1')))).toEqual([200, 200, 200])
    expect(performance.now() - began).toBeLessThan(12_000)
  })

  it('stays public through a restart while the upstream is down', async () => {
    const { upstream, clock, berth, status, settings } = await start()
    expect(await status('org/open/manifests/1')).toBe(200)
    await berth.stop()
    await upstream.stop()
    clock.advance(7 * 24 * 3_600_000)
    const again = await startBerth({ data: berth.data, clock, ...settings })
    expect(await status('org/open/manifests/1', again.url)).toBe(200)
  })
})

describe('allow and deny', () => {
  async function startRules(rules: Record<string, unknown>) {
    const upstream = await startUpstream({
      content: { 'org/app': { ...image('app'), tags: { 1: 'm', nightly: 'm' } }, 'other/app': image('other') },
    })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url, ...rules }] })
    const get = (path: string) => fetchRaw(`${berth.url}/v2/${path}`)
    return { upstream, get, status: async (path: string) => (await get(path)).status }
  }

  it('refuse by repository without asking the upstream, and say why', async () => {
    const { upstream, get } = await startRules({ deny: ['other/*'] })
    const answer = await get('other/app/manifests/1')
    expect(answer.json()).toMatchObject({
      errors: [{ code: 'DENIED', message: expect.stringContaining('deny: other/*') as string }],
    })
    for (const path of ['tags/list', `blobs/${upstream.content.digest('other/app', 'other')}`]) {
      expect((await get(`other/app/${path}`)).status).toBe(403)
    }
    expect(upstream.requests).toEqual([])
  })

  it('refuse by tag, leave it out of the list, and refuse its digest while no other tag means it', async () => {
    const { upstream, get, status } = await startRules({ deny: ['org/*:nightly'] })
    expect([await status('org/app/manifests/nightly'), await status('org/app/manifests/1')]).toEqual([403, 200])
    expect((await get('org/app/tags/list')).json()).toMatchObject({ tags: ['1'] })
    expect(await status(`org/app/manifests/${upstream.content.digest('org/app', 'm')}`)).toBe(200)
  })

  it('refuse all that allow does not name', async () => {
    const { status } = await startRules({ allow: ['org/*:1'] })
    expect(await status('org/app/manifests/1')).toBe(200)
    expect(await status('org/app/manifests/nightly')).toBe(403)
    expect(await status('other/app/manifests/1')).toBe(403)
  })
})

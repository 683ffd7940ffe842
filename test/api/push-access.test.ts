import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { basic, startWithUsers } from '../helpers/login.ts'
import { Pusher, sha256, startHosting } from '../helpers/push.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { fetchRaw } from '../helpers/http.ts'

const user = { username: 'ann', password: 'cor:rect' }
describe('pushing', () => {
  it('is nobody’s right by default, and says what to set', async () => {
    const { url } = await startBerth({ hosted: { namespaces: ['team'] } })
    const refused = await new Pusher(url).send('POST', 'blobs/uploads/')
    expect(refused.status).toBe(403)
    expectError(refused, 'DENIED')
    expect(refused.text()).toContain('berth user add')
  })

  it('is the right of the admin of the settings, whom 401 asks to log in', async () => {
    const { url } = await startBerth({ access: { user }, hosted: { namespaces: ['team'] } })
    const pusher = new Pusher(url)
    const post = (headers = {}) => pusher.send('POST', 'blobs/uploads/', { headers })
    for (const headers of [{}, basic('ann', 'wrong'), basic('bob', 'cor:rect')]) {
      const refused = await post(headers)
      expect(refused.status).toBe(401)
      expect(refused.headers['www-authenticate']).toBe(
        `Bearer realm="${url}/token",service="${new URL(url).host}",scope="repository:team/app:pull,push"`,
      )
    }
    expect((await post(basic('ann', 'cor:rect'))).status).toBe(202)
  })

  it('asks docker for a login at /v2/, and pulls go on without', async () => {
    const upstreams = [{ name: 'docker.io', virtualHosts: ['hub.example.com'] }]
    const { url } = await startBerth({ access: { user }, hosted: { namespaces: ['team'] }, upstreams })
    expect((await fetchRaw(`${url}/v2/`)).status).toBe(401)
    expect((await fetchRaw(`${url}/v2/`, { headers: basic('ann', 'wrong') })).status).toBe(401)
    expect((await fetchRaw(`${url}/v2/`, { headers: basic('ann', 'cor:rect') })).status).toBe(200)
    // A mirror's path or name: dockerd would answer with its Docker Hub password.
    expect((await fetchRaw(`${url}/docker.io/v2/`)).status).toBe(200)
    expect((await fetchRaw(`${url}/v2/`, { headers: { host: 'hub.example.com' } })).status).toBe(200)
    expect(await new Pusher(url).status('tags/list')).toBe(401)
  })
})

describe('what is private', () => {
  const mount = (url: string, user: string, name: string, query: string) =>
    new Pusher(url, name, basic(user)).send('POST', `blobs/uploads/?mount=${query}`)

  it('is mounted by those alone who may read it, named or found', async () => {
    const { url } = await startWithUsers()
    await new Pusher(url, 'team/app', basic('bob')).image('1', 'secret')
    await new Pusher(url, 'team/open', basic('bob')).image('1', 'shared')
    for (const from of ['', '&from=team/app']) {
      expect((await mount(url, 'eve', 'eve/app', sha256('secret') + from)).status).toBe(202)
      expect((await mount(url, 'carl', 'carl/app', sha256('secret') + from)).status).toBe(201)
    }
    expect((await mount(url, 'eve', 'eve/app', sha256('shared'))).status).toBe(201)
    expect((await new Pusher(url, 'eve/app', basic('eve')).send('HEAD', `blobs/${sha256('secret')}`)).status).toBe(404)
  })

  it('is in nobody else’s catalog, whose pages are full all the same (case 60)', async () => {
    const { url } = await startWithUsers()
    for (const name of ['team/app', 'team/b', 'team/c', 'team/open']) {
      await new Pusher(url, name, basic('bob')).image('1', 'layer')
    }
    await new Pusher(url, 'eve/own', basic('eve')).image('1', 'layer')
    const page = async (user: string, query: string) => {
      const answer = await fetchRaw(`${url}/v2/_catalog${query}`, { headers: basic(user) })
      return [(answer.json() as { repositories: string[] }).repositories, answer.headers.link !== undefined]
    }
    expect(await page('eve', '?n=2')).toEqual([['eve/own', 'team/open'], false])
    expect(await page('eve', '?n=1')).toEqual([['eve/own'], true])
    expect(await page('carl', '?n=3')).toEqual([['team/app', 'team/b', 'team/c'], true])
    expect(await page('carl', '?n=3&last=team/c')).toEqual([['team/open'], false])
  })
})

describe('names', () => {
  it('of an upstream cannot be pushed to or deleted, and are told how to be hosted', async () => {
    const { url } = await startHosting()
    for (const [method, path] of [
      ['POST', 'library/node/blobs/uploads/'],
      ['PUT', 'other/app/manifests/1'],
      ['DELETE', 'other/app/manifests/1'],
      ['POST', 'quay.io/team/app/blobs/uploads/'],
    ] as const) {
      const refused = await fetchRaw(`${url}/v2/${path}`, { method })
      expect(refused.status).toBe(403)
      expectError(refused, 'DENIED')
    }
  })

  it('in a hosted namespace never reach an upstream, nor does its content answer for them', async () => {
    const image = { blobs: { a: 'same' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }
    const upstream = await startUpstream({ content: { 'team/app': image } })
    const { url } = await startHosting({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const blob = upstream.content.digest('team/app', 'a')
    expect((await fetchRaw(`${url}/v2/docker.io/team/app/blobs/${blob}`)).status).toBe(200)
    upstream.forget()
    const pusher = new Pusher(url)
    expect(await pusher.status('manifests/1')).toBe(404)
    expect((await pusher.send('HEAD', `blobs/${blob}`)).status).toBe(404)
    expect(await pusher.status('tags/list')).toBe(404)
    expect(upstream.requests).toEqual([])
    // Pushed, deleted, and still the cache's.
    await pusher.blob('same')
    await pusher.send('DELETE', `blobs/${blob}`)
    expect((await fetchRaw(`${url}/v2/docker.io/team/app/blobs/${blob}`)).text()).toBe('same')
  })
})

describe('a quota', () => {
  const quotas = [{ namespace: 'team', bytes: 1000, tags: 1 }]

  it('of bytes refuses an upload before it is read, and one of unknown length when it is full', async () => {
    const { url } = await startHosting({ hosted: { namespaces: ['team'], quotas } })
    const pusher = new Pusher(url)
    const refused = await pusher.blob('x'.repeat(1001))
    expect(refused.status).toBe(403)
    expectError(refused, 'DENIED')
    const at = await pusher.open()
    const streamed = { 'transfer-encoding': 'chunked' }
    expect((await fetchRaw(at, { method: 'PATCH', body: 'y'.repeat(1001), headers: streamed })).status).toBe(403)
    expect((await pusher.blob('z'.repeat(900))).status).toBe(201)
    expect((await pusher.blob('w'.repeat(900))).status).toBe(403)
  })

  it('of tags refuses one more tag', async () => {
    const { url } = await startHosting({ hosted: { namespaces: ['team'], quotas } })
    const pusher = new Pusher(url)
    await pusher.image('1', 'layer')
    const manifest = (await pusher.send('GET', 'manifests/1')).text()
    expectError(await pusher.manifest('2', manifest), 'DENIED')
    expect((await pusher.manifest('1', manifest)).status).toBe(201)
  })
})

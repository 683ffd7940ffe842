import { describe, expect, it } from 'vitest'
import { CredentialScope } from '../../src/upstream/credentials.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../helpers/upstream.ts'

// An upstream's user name and password: shown to its own host, and to token servers the operator named. To nobody else.

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'org/app': image }
const credentials = { username: 'me', password: 'sec:ret ü' }
const users = { me: credentials.password }
const login = `Basic ${Buffer.from('me:sec:ret ü').toString('base64')}`

async function start(options: Omit<UpstreamOptions, 'content'>, more: { tokenHosts?: string[] } = {}) {
  const upstream = await startUpstream({ content, ...options })
  const reader = await startReader({ url: upstream.url, credentials, ...more })
  return { upstream, reader, pull: () => reader.manifest('org/app', '20') }
}

/** Who was shown what, in order, once each. */
function shown(upstream: Upstream): string[] {
  const seen = upstream.received.map(({ role, headers }) => `${role} ${headers.authorization?.split(' ')[0] ?? '-'}`)
  return [...new Set(seen)]
}

describe('with Basic', () => {
  it('go to the registry, after it has asked; then without being asked', async () => {
    const { upstream, pull } = await start({ auth: { kind: 'basic', users } })
    await pull()
    await pull()
    expect(upstream.received.map(({ status }) => status)).toEqual([401, 200, 200])
    expect(upstream.received.at(-1)?.headers.authorization).toBe(login)
  })

  it('that are wrong end in DENIED after two requests', async () => {
    const { upstream, pull } = await start({ auth: { kind: 'basic', users: { me: 'other' } } })
    await expect(pull()).rejects.toMatchObject({ failure: 'unauthorized', status: 403 })
    expect(upstream.requests).toHaveLength(2)
  })

  it('are not there: DENIED after one request', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users } })
    const reader = await startReader({ url: upstream.url })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ status: 403 })
    expect(upstream.requests).toHaveLength(1)
  })

  it('never go to a CDN that the registry redirects to (case 41: opa #6580)', async () => {
    const { upstream, reader } = await start({ auth: { kind: 'basic', users }, cdn: {} })
    expect((await reader.blob('org/app', upstream.content.digest('org/app', 'a'))).toString()).toBe('0123456789')
    expect(shown(upstream)).toEqual(['registry -', 'registry Basic', 'cdn -'])
  })

  it('never go to another registry that this one redirects to, which asks for a login of its own', async () => {
    const other = await startUpstream({ content: { 'images/org/app': image }, auth: { kind: 'basic', users } })
    const { pull } = await start({ redirectTo: `${other.url}/v2/images` })
    await expect(pull()).rejects.toMatchObject({ status: 403 })
    expect(shown(other)).toEqual(['registry -'])
  })
})

describe('with Bearer', () => {
  const auth = { kind: 'bearer', users, private: ['org/app'] } as const

  it('go to the token server on the registry itself, and the token alone to the registry', async () => {
    const { upstream, pull } = await start({ auth })
    await pull()
    const tokens = upstream.received.filter(({ url }) => url.startsWith('/token'))
    expect(tokens.map(({ headers }) => headers.authorization)).toEqual([login])
    expect(tokens[0]?.url).toContain('account=me')
    const others = upstream.received.filter(({ url }) => !url.startsWith('/token'))
    expect(others.map(({ headers }) => headers.authorization?.split(' ')[0])).toEqual([undefined, 'Bearer'])
  })

  it('go to a token server on another host that is among tokenHosts', async () => {
    const upstream = await startUpstream({ content, auth: { ...auth, realmHost: 'other' } })
    const reader = await startReader({ url: upstream.url, credentials, tokenHosts: [upstream.tokenHost] })
    await reader.manifest('org/app', '20')
    expect(shown(upstream)).toEqual(['registry -', 'token Basic', 'registry Bearer'])
  })

  it('never go to a token server on a host that nobody named; it is asked without', async () => {
    const { upstream, pull } = await start({ auth: { ...auth, realmHost: 'other' } }, { tokenHosts: ['auth.test'] })
    await expect(pull()).rejects.toMatchObject({ status: 403 })
    expect(shown(upstream)).toEqual(['registry -', 'token -', 'registry Bearer'])
  })

  it('that are refused leave public images within reach, and it is told (ghcr.io: an expired password)', async () => {
    const { upstream, reader, pull } = await start({ auth: { kind: 'bearer', users: { me: 'other' } } })
    await pull()
    expect(reader.events.filter(({ type }) => type === 'credentials')).toMatchObject([
      { upstream: 'up.test', account: 'credentials', good: false, host: upstream.host },
    ])
  })

  it('follow a redirect of the token server on its own host, and to no other', async () => {
    const other = await startUpstream({ content, auth })
    const { upstream, pull } = await start({ auth })
    const redirect = (location: string) =>
      upstream.set({ faults: [{ on: /\/token\?/, status: 307, headers: { location }, times: 1 }] })
    redirect('/token?scope=repository:org/app:pull')
    await pull()
    upstream.expireTokens()
    redirect(`${other.url}/token?scope=repository:org/app:pull`)
    await pull().catch(() => {})
    expect(other.received.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it('do not follow a token server in circles', async () => {
    const location = '/token?again'
    const { upstream, pull } = await start({ auth, faults: [{ on: /\/token/, status: 307, headers: { location } }] })
    await expect(pull()).rejects.toMatchObject({ name: 'UpstreamError' })
    expect(upstream.requests.length).toBeLessThan(12)
  })

  it('leave the token where it belongs: a CDN on another host sees none', async () => {
    const { upstream, reader } = await start({ auth, cdn: {} })
    await reader.blob('org/app', upstream.content.digest('org/app', 'a'))
    expect(shown(upstream).filter((text) => text.startsWith('cdn'))).toEqual(['cdn -'])
  })
})

describe('which hosts may see them', () => {
  const source = { label: 'me', get: () => Promise.reject(new Error('not asked')), forget: () => false }
  const scope = (url: string, tokenHosts: string[] = []) => new CredentialScope(new URL(url), tokenHosts, source)
  it.each([
    ['the upstream itself', 'https://up.test', 'https://up.test/v2/', true],
    ['the upstream on its usual port', 'https://up.test', 'https://up.test:443/token', true],
    ['a token host', 'https://up.test', 'https://auth.test/token', true],
    ['a token host on another port', 'https://up.test', 'https://auth.test:8443/token', false],
    ['the upstream on another port', 'https://up.test', 'https://up.test:8443/', false],
    ['the upstream without TLS', 'https://up.test', 'http://up.test/', false],
    ['the upstream without TLS, on the port of TLS', 'https://up.test', 'http://up.test:443/', false],
    ['a token host without TLS', 'https://up.test', 'http://auth.test/token', false],
    ['a host below', 'https://up.test', 'https://evil.up.test/', false],
    ['a host that ends alike', 'https://up.test', 'https://evilup.test/', false],
    ['an upstream that has no TLS', 'http://up.test:5000', 'http://up.test:5000/token', true],
  ])('%s', (_, home, target, may) => {
    expect(scope(home, ['auth.test']).for(new URL(target))).toBe(may ? source : undefined)
  })
})

describe('a client', () => {
  it('never lends its own login to the upstream, nor sees a challenge of it (rule 13)', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users } })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const answer = await fetchRaw(`${berth.url}/v2/org/app/manifests/20`, { headers: { authorization: login } })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, undefined])
    expect(shown(upstream)).toEqual(['registry -'])
  })

  it('gets the image as soon as the login is right: no refusal is remembered (case 39: nexus-public #639)', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { me: 'not yet' } } })
    const berth = await startBerth({
      access: { private: 'open' },
      upstreams: [{ name: 'docker.io', url: upstream.url, credentials }],
    })
    const statuses = async () => [
      (await fetchRaw(`${berth.url}/v2/org/app/manifests/20`)).status,
      (await fetchRaw(`${berth.url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'a')}`)).status,
      (await fetchRaw(`${berth.url}/v2/org/app/tags/list`)).status,
    ]
    expect(await statuses()).toEqual([403, 403, 403])
    upstream.set({ auth: { kind: 'basic', users } })
    expect(await statuses()).toEqual([200, 200, 200])
  })
})

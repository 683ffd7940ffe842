import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { startReader } from '../helpers/reader.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Bearer tokens: asked for once, kept by realm, service and scope, renewed before they end and once after a 401.

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'library/node': image, 'library/alpine': image }

async function start(options: Omit<UpstreamOptions, 'content'> = {}) {
  const clock = makeClock()
  const upstream = await startUpstream({ content, auth: { kind: 'bearer' }, ...options, clock })
  const reader = await startReader({ url: upstream.url, clock })
  const digest = upstream.content.digest('library/node', 'a')
  return { clock, upstream, reader, digest, pull: () => reader.manifest('library/node', '20') }
}

describe('a token', () => {
  it('is asked for after the first challenge, for what that names', async () => {
    const { upstream, pull } = await start()
    await pull()
    const [refused, asked, answered] = upstream.received
    expect(refused?.status).toBe(401)
    const query = new URL(`http://x${asked?.url}`).searchParams
    expect([...query]).toEqual([
      ['service', 'upstream.test'],
      ['scope', 'repository:library/node:pull'],
    ])
    expect(answered?.headers.authorization).toMatch(/^Bearer \S{20,}$/)
  })

  it('is kept: the second request asks neither for a challenge nor for a token', async () => {
    const { upstream, reader, digest, pull } = await start()
    await pull()
    upstream.forget()
    await pull()
    await reader.blob('library/node', digest)
    expect(upstream.received.map(({ status }) => status)).toEqual([200, 200])
  })

  it('is one for each repository, and the second repository is not challenged first', async () => {
    const { upstream, reader, pull } = await start()
    await pull()
    upstream.forget()
    await reader.manifest('library/alpine', '20')
    await pull()
    expect(upstream.count(/\/token.*scope=repository%3Alibrary%2Falpine%3Apull/)).toBe(1)
    expect(upstream.count(/ 401$/)).toBe(0)
    expect(upstream.requests).toHaveLength(3)
  })

  it('is asked for once by all who wait', async () => {
    const { upstream, pull } = await start()
    await Promise.all(Array.from({ length: 16 }, pull))
    expect(upstream.count(/\/token\?/)).toBe(1)
  })

  it('is renewed before it ends, not after a 401', async () => {
    const { clock, upstream, pull } = await start()
    await pull()
    upstream.forget()
    clock.advance(299_000)
    await pull()
    expect(upstream.count(/\/token\?/)).toBe(1)
    expect(upstream.count(/ 401$/)).toBe(0)
  })

  it('is not renewed while it has most of its time', async () => {
    const { clock, upstream, pull } = await start()
    await pull()
    clock.advance(200_000)
    await pull()
    expect(upstream.count(/\/token\?/)).toBe(1)
  })

  it('without expires_in lives 60 s (case 40: the specification says so)', async () => {
    const { clock, upstream, pull } = await start({ auth: { kind: 'bearer', omitExpiresIn: true, ttl: 60 } })
    await pull()
    clock.advance(40_000)
    await pull()
    expect(upstream.count(/\/token\?/)).toBe(1)
    clock.advance(19_000)
    await pull()
    expect(upstream.count(/\/token\?/)).toBe(2)
    expect(upstream.count(/ 401$/)).toBe(1)
  })

  it('may be called access_token (case 40)', async () => {
    const { pull } = await start({ auth: { kind: 'bearer', tokenField: 'access_token' } })
    expect((await pull()).size).toBeGreaterThan(0)
  })

  it('that is refused is dropped, and a new one tried once (case 40: moby #33558)', async () => {
    const { upstream, reader, digest, pull } = await start()
    await pull()
    upstream.expireTokens()
    upstream.forget()
    expect((await reader.blob('library/node', digest, { start: 3, end: 6 })).toString()).toBe('345')
    expect(upstream.received.map(({ status }) => status)).toEqual([401, 200, 206])
  })

  it('that is good for one request is enough for a pull', async () => {
    const { pull } = await start({ auth: { kind: 'bearer', oneUse: true } })
    await pull()
    await pull()
  })

  it('that is refused time and again ends in an error, not in a loop (Hub: a token for what does not exist)', async () => {
    const { upstream, reader } = await start({ quirks: { missing401: true } })
    const error = await reader.manifest('library/missing', '20').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ failure: 'unauthorized', code: 'DENIED', status: 403 })
    expect(upstream.requests.length).toBeLessThan(5)
  })

  it('that the server refuses to give ends in DENIED (ghcr.io: 403 of the token server)', async () => {
    const { reader } = await start({ quirks: { token403: true, errorBodies: 'empty' } })
    const error = await reader.manifest('library/missing', '20').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ failure: 'unauthorized', status: 403 })
  })

  it('of a server that is down is a failure of the upstream, found out in one try', async () => {
    const { upstream, pull } = await start({ faults: [{ on: /\/token/, status: 503 }] })
    await expect(pull()).rejects.toMatchObject({ failure: 'server-error', temporary: true })
    expect(upstream.count(/\/token\?/)).toBe(1)
  })

  it.each([
    ['no JSON', '<html>'],
    ['no object', '"x"'],
    ['null', 'null'],
    ['no token', '{}'],
    ['an empty token', '{"token":""}'],
    ['a number for a token', '{"token":5}'],
  ])('answer that is %s is a bad answer', async (_, body) => {
    const { pull } = await start({ faults: [{ on: /\/token/, status: 200, body }] })
    await expect(pull()).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
  })

  it.each(['a\r\nX: y', 'a b\n', 'ü\u0000'])('that no header can hold (%j) is a bad answer', async (token) => {
    const { pull } = await start({
      faults: [{ on: /\/token/, status: 200, body: JSON.stringify({ token }) }],
    })
    await expect(pull()).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
  })
})

describe('a challenge', () => {
  const forms = ['severalInOne', 'severalHeaders', 'oddOrder', 'quotedCommas', 'realmQuery', 'relativeRealm'] as const
  it.each(forms)('in the form %s is answered', async (form) => {
    const { upstream, pull } = await start({ auth: { kind: 'bearer', form } })
    await pull()
    await pull()
    upstream.forget()
    await pull()
    expect(upstream.received.map(({ status }) => status)).toEqual([200])
  })

  it('keeps the query of its realm', async () => {
    const { upstream, pull } = await start({ auth: { kind: 'bearer', form: 'realmQuery' } })
    await pull()
    expect(upstream.received.find(({ url }) => url.startsWith('/token'))?.url).toMatch(/\?from=challenge&service=/)
  })

  it('without a scope is answered with the one it must mean (gcr.io, ACR)', async () => {
    const { upstream, pull } = await start({ auth: { kind: 'bearer', noScopeInChallenge: true } })
    await pull()
    expect(upstream.count('scope=repository%3Alibrary%2Fnode%3Apull')).toBe(1)
  })

  it('without a service is answered without one (nvcr.io)', async () => {
    const { upstream, pull } = await start({ auth: { kind: 'bearer', noService: true } })
    await pull()
    expect(upstream.count(/token\?scope=/)).toBe(1)
  })

  it.each([
    ['none at all (gcr.io once)', undefined],
    ['a scheme nobody knows', 'Hawk realm="x"'],
    ['no realm', 'Bearer service="x"'],
    ['a realm that is no URL', 'Bearer realm="http://"'],
    ['a realm of another scheme', 'Bearer realm="file:///etc/passwd"'],
    ['no grammar', '"""'],
  ])('that is %s ends in DENIED', async (_, challenge) => {
    const headers = challenge === undefined ? {} : { 'www-authenticate': challenge }
    const { reader } = await start({ auth: undefined!, faults: [{ on: /manifests/, status: 401, headers }] })
    const error = await reader.manifest('library/node', '20').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'UpstreamError' })
    expect((error as { status: number }).status).toBeLessThan(503)
  })
})

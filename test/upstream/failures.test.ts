import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ErrorCode } from '../../src/oci/errors.ts'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type Fault, type UpstreamOptions } from '../helpers/upstream.ts'

// Upstreams that fail, in the words of clients and of the room itself. What is cached then is for the tests of the cache.

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'org/app': image }

async function start(options: Partial<UpstreamOptions> = {}) {
  const upstream = await startUpstream({ content, ...options })
  const reader = await startReader({ url: upstream.url, timeouts: { headers: 300, idle: 300 } })
  return { upstream, reader, pull: () => reader.manifest('org/app', '20') }
}

async function startBoth(faults: Fault[], more: Partial<UpstreamOptions> = {}) {
  const upstream = await startUpstream({ content, faults, ...more })
  const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
  const paths = ['manifests/20', `blobs/${upstream.content.digest('org/app', 'a')}`, 'tags/list']
  const ask = (path: string) => fetchRaw(`${berth.url}/v2/org/app/${path}`)
  return { upstream, berth, paths, ask }
}

describe('what a client sees of an error (case 37: harbor #20764, distribution #4477)', () => {
  const rows: [status: number, body: string, seen: number, code: ErrorCode][] = []
  const bodies = ['', '<html>oops</html>', '{"errors":', '\0\xff']
  for (const body of bodies) {
    rows.push([401, body, 403, 'DENIED'], [403, body, 403, 'DENIED'], [500, body, 502, 'UNAVAILABLE'])
    rows.push([503, body, 502, 'UNAVAILABLE'], [429, body, 429, 'TOOMANYREQUESTS'], [418, body, 502, 'UNAVAILABLE'])
  }
  it.each(rows)('%i with the body %j is %i %s in JSON', async (status, body, seen, code) => {
    const { paths, ask } = await startBoth([{ on: /org/, status, body, headers: { 'www-authenticate': 'Basic' } }])
    for (const path of paths) {
      const answer = await ask(path)
      expect([path, answer.status]).toEqual([path, seen])
      expectError(answer, code)
      expect(answer.headers['www-authenticate']).toBeUndefined()
      expect(answer.text()).toContain('docker.io')
    }
  })

  it.each(['', '<html>', '{"errors":[{"code":"NAME_UNKNOWN"}]}'])(
    '404 with the body %j is 404 of what was asked for',
    async (body) => {
      const { paths, ask } = await startBoth([{ status: 404, body }])
      const codes: ErrorCode[] = ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN']
      for (const [i, path] of paths.entries()) {
        const answer = await ask(path)
        expect(answer.status).toBe(404)
        expectError(answer, codes[i]!)
      }
    },
  )

  it.each(['json', 'text'] as const)(
    'a rate limit in the form of %s is 429 with the Retry-After that came (case 19: distribution #3270, harbor #18707)',
    async (form) => {
      const { ask } = await startBoth([], { rate: { limit: 100, remaining: 0, retryAfter: 77, form } })
      const answer = await ask('manifests/20')
      expect([answer.status, answer.headers['retry-after']]).toEqual([429, '77'])
      expectError(answer, 'TOOMANYREQUESTS')
    },
  )

  it('a rate limit without Retry-After is 429 with one of ours: some clients ask again at once without it', async () => {
    const { ask } = await startBoth([{ status: 429, body: '' }])
    expect((await ask('manifests/20')).headers['retry-after']).toMatch(/^[1-9]\d*$/)
  })

  it('an upstream that is away is 502, of which containerd goes to its next host at once', async () => {
    const { upstream, paths, ask } = await startBoth([])
    await upstream.stop()
    for (const path of paths) {
      const answer = await ask(path)
      expect(answer.status).toBe(502)
      expectError(answer, 'UNAVAILABLE')
    }
  })

  it('no message tells a URL that was signed, a token or a password', async () => {
    const { ask, paths, upstream } = await startBoth([{ on: /^cdn/, status: 500 }], {
      cdn: {},
      auth: { kind: 'bearer' },
    })
    const answer = await ask(paths[1]!)
    expect(answer.status).toBe(502)
    const secrets = upstream.received.flatMap(({ url, headers }) => [
      new URL(`http://x${url}`).searchParams.get('signature'),
      headers.authorization?.split(' ')[1],
    ])
    for (const secret of secrets) if (secret) expect(answer.text()).not.toContain(secret)
  })
})

describe('the kind of a failure', () => {
  it.each<[string, Fault, string, number]>([
    ['no answer', { silent: true }, 'timeout', 504],
    ['a broken connection', { reset: true }, 'unreachable', 502],
    ['503', { status: 503 }, 'server-error', 502],
    ['a body that stops', { stallAfter: 10 }, 'timeout', 504],
    ['a body that breaks off', { cutAfter: 10 }, 'unreachable', 502],
  ])('of %s', async (_, fault, failure, status) => {
    const { reader, pull } = await start({ faults: [fault] })
    await expect(pull()).rejects.toMatchObject({ failure, status, temporary: true })
    expect(reader.events.map((event) => 'failure' in event && event.failure)).toContain(failure)
  })

  it('of a port where nobody listens', async () => {
    const { upstream, pull } = await start()
    await upstream.stop()
    await expect(pull()).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/)
  })

  it('of a name that does not resolve', async () => {
    const reader = await startReader({ url: 'http://registry.invalid' })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'unreachable', status: 502 })
  })
})

describe('a pooled connection that the upstream has closed (case 42: undici #5450)', () => {
  it('is noticed by nobody: a GET is sent once more', async () => {
    const { upstream, pull } = await start()
    await pull()
    upstream.set({ faults: [{ reset: true, times: 1 }] })
    await pull()
    expect(upstream.requests).toHaveLength(3)
  })

  it('is sent no more than once more', async () => {
    const { upstream, pull } = await start({ faults: [{ reset: true }] })
    await expect(pull()).rejects.toMatchObject({ failure: 'unreachable' })
    expect(upstream.requests).toHaveLength(2)
  })

  it('is not followed by another such: the second try is on a fresh connection', async () => {
    const upstream = await startOnceOnly()
    const reader = await startReader({ url: upstream })
    const pull = () => reader.tags('org/app')
    await Promise.all(Array.from({ length: 16 }, pull))
    for (const burst of [3, 8, 16, 5]) {
      const answers = await Promise.all(Array.from({ length: burst }, pull))
      expect(answers).toEqual(answers.map(() => ['20']))
    }
  })

  it('in bursts, with an upstream that closes idle connections at once, is noticed by nobody', async () => {
    const { upstream, pull } = await start({ idleClose: 0 })
    for (let burst = 0; burst < 5; burst++) {
      await Promise.all(Array.from({ length: 8 }, pull))
      upstream.closeIdle()
    }
  })
})

describe('an upstream that is down', () => {
  it('is asked once, then left alone for a while, then by one request only', async () => {
    const { upstream, reader, pull } = await start({ faults: [{ reset: true }] })
    await expect(pull()).rejects.toMatchObject({ failure: 'unreachable' })
    upstream.forget()
    await expect(pull()).rejects.toThrow(/asking it again in 1 s/)
    expect(upstream.requests).toEqual([])
    upstream.set({ faults: [] })
    reader.clock.advance(1000)
    const release = upstream.hold(/manifests/)
    const trying = pull()
    await upstream.asked('manifests')
    await expect(pull()).rejects.toThrow(/asking it again/)
    release()
    await trying
    await pull()
    expect(upstream.requests).toHaveLength(2)
  })

  it('for blobs only, its CDN being away, is asked for manifests as before', async () => {
    const { upstream, reader, pull } = await start({ cdn: {}, faults: [{ on: /^cdn/, reset: true }] })
    const blob = () => reader.blob('org/app', upstream.content.digest('org/app', 'a'))
    await expect(blob()).rejects.toMatchObject({ failure: 'unreachable' })
    await pull()
    upstream.forget()
    await expect(blob()).rejects.toThrow(/asking it again in 1 s/)
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry'])
    upstream.set({ faults: [] })
    reader.clock.advance(1000)
    expect((await blob()).toString()).toBe('0123456789')
  })

  it('is told once for each time it was asked', async () => {
    const { reader, pull } = await start({ faults: [{ reset: true }] })
    for (let i = 0; i < 5; i++) await expect(pull()).rejects.toThrow()
    expect(reader.events.filter(({ type }) => type === 'upstream-failure')).toHaveLength(1)
  })

  it('for one repository (500) is asked for the others', async () => {
    const upstream = await startUpstream({
      content: { ...content, 'org/other': image },
      faults: [{ on: /org\/app/, status: 500, times: 2 }],
    })
    const reader = await startReader({ url: upstream.url })
    for (let i = 0; i < 2; i++) await expect(reader.manifest('org/app', '20')).rejects.toThrow()
    await reader.manifest('org/other', '20')
  })
})

it('what is left of a rate limit is told', async () => {
  const { reader, pull } = await start({ rate: { limit: 100, remaining: 8 } })
  await pull()
  expect(reader.events).toContainEqual({
    type: 'rate-limit',
    upstream: 'up.test',
    account: 'anonymous',
    scarce: false,
    remaining: 7,
    limit: 100,
  })
})

/** A server whose connections are good for one request; the second breaks them, without a sign before. */
async function startOnceOnly(): Promise<string> {
  const used = new WeakSet<Socket>()
  const server = createServer((request, response) => {
    if (used.has(request.socket)) return void request.socket.destroy()
    used.add(request.socket)
    response.writeHead(200, { connection: 'keep-alive' }).end('{"tags":["20"]}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

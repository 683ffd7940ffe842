import { describe, expect, it } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const password = 'not-to-be-seen'

/** Berth as a process; `lines()` stops it and returns what it logged. */
async function start(options: Partial<UpstreamOptions> = {}, more: Record<string, unknown> = {}) {
  const upstream = await startUpstream({ content: { 'org/app': image }, ...options })
  const settings = {
    listen: '127.0.0.1:0',
    upstreams: [{ name: 'docker.io', url: upstream.url, credentials: { username: 'me', password } }],
    ...more,
  }
  const berth = startBerth(['serve', '--config', 'b.yaml'], makeFolder({ 'b.yaml': JSON.stringify(settings) }))
  const [, url = ''] = await berth.printed(/listens on (\S+)/)
  const lines = async () => {
    berth.child.kill('SIGTERM')
    await berth.ended
    const json = berth.output.split('\n').filter((line) => line.startsWith('{"'))
    return json.map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  return { upstream, berth, url, lines, blob: `${url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'a')}` }
}

describe('the log', () => {
  it('has one line of JSON a request: what was asked, by whom, and what came of it', async () => {
    const { url, lines, blob } = await start()
    await fetchRaw(blob, { headers: { 'user-agent': 'test/1' } })
    await fetchRaw(`${url}/v2/org/app/manifests/none?ns=docker.io`, { method: 'HEAD' })
    await fetchRaw(`${url}/nothing`)
    const requests = (await lines()).filter(({ msg }) => msg === 'request')
    expect(requests).toMatchObject([
      {
        level: 30,
        method: 'GET',
        path: new URL(blob).pathname,
        status: 200,
        bytes: 10,
        agent: 'test/1',
        client: '127.0.0.1',
      },
      { method: 'HEAD', path: '/v2/org/app/manifests/none', ns: 'docker.io', status: 404, bytes: 0 },
      { method: 'GET', path: '/nothing', status: 404 },
    ])
    for (const { ms, time } of requests) {
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT/)
    }
  })

  it('names the client that a trusted proxy speaks for, and not the proxy', async () => {
    const { url, lines } = await start({}, { trustedProxies: ['127.0.0.0/8'] })
    await fetchRaw(`${url}/v2/`, { headers: { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' } })
    expect(await lines()).toMatchObject([{ path: '/v2/', client: '203.0.113.9' }])
  })

  it('leaves out probes and scrapes', async () => {
    const { url, lines } = await start()
    for (const path of ['/healthz', '/readyz', '/metrics']) await fetchRaw(url + path)
    expect(await lines()).toEqual([])
  })

  it('tells an upstream that fails, and the error behind a 5xx', async () => {
    const { upstream, url, lines } = await start()
    await upstream.stop()
    await fetchRaw(`${url}/v2/org/app/manifests/20`)
    const all = await lines()
    expect(all).toContainEqual(expect.objectContaining({ level: 40, upstream: 'docker.io', failure: 'unreachable' }))
    expect(all.find(({ status }) => status === 502)).toMatchObject({ level: 50, msg: 'request' })
  })

  it('holds no secret: no password, no token, no signed URL, no header of a client', async () => {
    const { upstream, url, berth, lines, blob } = await start({
      auth: { kind: 'bearer', users: { me: password } },
      cdn: {},
      faults: [{ on: /^cdn/, status: 500, times: 1 }],
    })
    const authorization = 'Basic c2VjcmV0OmxvZ2lu'
    await fetchRaw(blob, { headers: { authorization, cookie: 'session=crumbs' } })
    await fetchRaw(`${url}/v2/org/app/tags/list?token=from-a-query`, { headers: { authorization } })
    await upstream.stop()
    await fetchRaw(`${url}/v2/org/app/manifests/20`)
    expect((await lines()).length).toBeGreaterThan(2)
    const seen = upstream.received.flatMap(({ url, headers }) => [
      new URL(`http://x${url}`).searchParams.get('signature'),
      headers.authorization?.split(' ')[1],
    ])
    const secrets = [password, 'c2VjcmV0OmxvZ2lu', 'crumbs', 'from-a-query', ...seen].filter((secret) => secret)
    for (const secret of secrets) expect(berth.output).not.toContain(secret)
  })

  it('cannot be forged by a path with a line break or quotes', async () => {
    const { url, lines } = await start()
    await fetchRaw(url, { path: '/v2/a%0a{"level":60}/manifests/"x"' })
    expect((await lines()).map(({ level }) => level)).toEqual([30])
  })
})

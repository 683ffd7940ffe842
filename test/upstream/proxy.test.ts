import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hasOpenssl, makeCertificate } from '../helpers/certificates.ts'
import { startProxy } from '../helpers/proxy.ts'
import { startReader } from '../helpers/reader.ts'
import { startUpstream } from '../helpers/upstream.ts'

// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, for the registry, its token server and its CDN alike (case 62: harbor #22817).

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'org/app': image }

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, undefined)
    vi.stubEnv(name.toLowerCase(), undefined)
  }
})
afterEach(() => vi.unstubAllEnvs())

/** A registry that only the proxy can find: by names that resolve nowhere, over TLS. */
async function startHidden() {
  const tls = makeCertificate('registry.test', 'auth.test', 'cdn.test')
  const registry = await startUpstream({ content, tls })
  const elsewhere = await startUpstream({ content, tls })
  const proxy = await startProxy({
    'registry.test:443': registry.host,
    'auth.test:443': elsewhere.host,
    'cdn.test:443': elsewhere.host,
  })
  vi.stubEnv('HTTPS_PROXY', proxy.url)
  const digest = registry.content.digest('org/app', 'a')
  const start = () => startReader({ url: 'https://registry.test', extraCa: tls.cert })
  /** The first answer for a blob; the next ones are the registry's own. */
  const answerBlobs = (status: number, headers: Record<string, string>) =>
    registry.set({ faults: [{ on: /blobs/, status, headers, times: 1 }] })
  const cdnUrl = `https://cdn.test/v2/org/app/blobs/${digest}`
  return { registry, elsewhere, proxy, digest, start, answerBlobs, cdnUrl }
}

describe.skipIf(!hasOpenssl)('HTTPS_PROXY (skipped without openssl)', () => {
  it('is the way to the registry', async () => {
    const { proxy, start } = await startHidden()
    await (await start()).manifest('org/app', '20')
    expect(proxy.tunnels).toEqual(['registry.test:443'])
  })

  it('is the way to the CDN that the registry redirects to', async () => {
    const { proxy, start, digest, answerBlobs, cdnUrl } = await startHidden()
    answerBlobs(307, { location: cdnUrl })
    expect((await (await start()).blob('org/app', digest)).toString()).toBe('0123456789')
    expect(proxy.tunnels).toEqual(['registry.test:443', 'cdn.test:443'])
  })

  it('is the way to the token server', async () => {
    const { proxy, elsewhere, start, digest, answerBlobs } = await startHidden()
    answerBlobs(401, { 'www-authenticate': 'Bearer realm="https://auth.test/token"' })
    elsewhere.set({ faults: [{ on: /token/, status: 200, body: '{"token":"abc"}' }] })
    await (await start()).blob('org/app', digest)
    expect(proxy.tunnels).toEqual(['registry.test:443', 'auth.test:443'])
  })

  it('may have a login, which nobody behind it sees', async () => {
    const { registry, proxy, start } = await startHidden()
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//me:secret@'))
    await (await start()).manifest('org/app', '20')
    expect(proxy.logins).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`])
    expect(JSON.stringify(registry.received)).not.toContain('roxy-auth')
  })

  it('that is away is a failure of the network', async () => {
    const { start } = await startHidden()
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9')
    await expect((await start()).manifest('org/app', '20')).rejects.toMatchObject({
      failure: 'unreachable',
      status: 502,
    })
  })
})

describe('HTTP_PROXY', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('as %s is the way to a registry without TLS', async (name) => {
    const upstream = await startUpstream({ content })
    const proxy = await startProxy()
    vi.stubEnv(name, proxy.url)
    await (await startReader({ url: upstream.url })).manifest('org/app', '20')
    expect(proxy.tunnels).toEqual([upstream.host])
  })
})

describe('NO_PROXY', () => {
  it.each(['127.0.0.1', 'other.test, 127.0.0.1', '*'])(
    'of %j names the hosts that are asked directly',
    async (hosts) => {
      const upstream = await startUpstream({ content })
      const proxy = await startProxy()
      vi.stubEnv('HTTP_PROXY', proxy.url)
      vi.stubEnv('NO_PROXY', hosts)
      await (await startReader({ url: upstream.url })).manifest('org/app', '20')
      expect(proxy.tunnels).toEqual([])
    },
  )

  it('leaves other hosts to the proxy', async () => {
    const upstream = await startUpstream({ content })
    const proxy = await startProxy()
    vi.stubEnv('HTTP_PROXY', proxy.url)
    vi.stubEnv('NO_PROXY', 'other.test')
    await (await startReader({ url: upstream.url })).manifest('org/app', '20')
    expect(proxy.tunnels).toEqual([upstream.host])
  })
})

describe.skipIf(!hasOpenssl)('a registry on the internet (skipped without openssl)', () => {
  const inside = [
    'https://127.0.0.1/x',
    'https://127.0.0.1:8443/x',
    'https://localhost/x',
    'https://2130706433/x',
    'https://10.1.2.3/x',
    'https://192.168.0.1/x',
    'https://172.16.5.5/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[fd00::1]/x',
  ]

  it.each(inside)('may not send us to the inner address %s, neither by a redirect nor by a realm', async (location) => {
    const { proxy, start, digest, answerBlobs } = await startHidden()
    const answers: [number, Record<string, string>][] = [
      [307, { location }],
      [401, { 'www-authenticate': `Bearer realm="${location}"` }],
    ]
    for (const [status, headers] of answers) {
      answerBlobs(status, headers)
      const asked = (await start()).blob('org/app', digest)
      await expect(asked).rejects.toThrow(/inner address .*refused/)
    }
    expect(new Set(proxy.tunnels)).toEqual(new Set(['registry.test:443']))
  })

  it.each(['http://cdn.test/x', 'http://registry.test/v2/x', 'http://registry.test:443/v2/x'])(
    'may not send us to %s, without TLS',
    async (location) => {
      const { proxy, start, digest, answerBlobs } = await startHidden()
      answerBlobs(307, { location })
      await expect((await start()).blob('org/app', digest)).rejects.toThrow(/must be https/)
      expect(proxy.tunnels).toEqual(['registry.test:443'])
    },
  )
})

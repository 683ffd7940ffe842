import { once } from 'node:events'
import tls from 'node:tls'
import { describe, expect, it } from 'vitest'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { fetchRaw } from '../helpers/http.ts'
import { Pusher } from '../helpers/push.ts'
import { openTunnel, ask, startProxying, tunnelManifest as manifest } from '../helpers/tunnels.ts'

describe('inside a tunnel to an upstream', () => {
  it('its content is served from the cache, also while it is down', async () => {
    const { berth, upstream } = await startProxying()
    expect((await ask(berth, manifest)).status).toBe(200)
    upstream.forget()
    expect((await ask(berth, manifest)).status).toBe(200)
    expect(upstream.requests).toEqual([])
    await upstream.stop()
    expect((await ask(berth, manifest)).status).toBe(200)
  })

  it.each([
    ['an alias with a port', { host: 'other.test', target: 'other.test:5000' }],
    ['a name in capitals', { host: 'quay.test', target: 'QUAY.test:443' }],
  ])('%s means it too', async (_, inside) => {
    const { berth } = await startProxying()
    expect((await ask(berth, manifest, inside)).status).toBe(200)
  })

  it('no path leads to another upstream or to what is hosted here', async () => {
    const { berth, upstream } = await startProxying()
    for (const [path, asked] of [
      ['/v2/docker.io/org/app/manifests/1', '/v2/docker.io/org/app/manifests/1'],
      ['/v2/team/app/manifests/1', '/v2/team/app/manifests/1'],
      [`${manifest}?ns=docker.io`, manifest],
    ] as const) {
      upstream.forget()
      await ask(berth, path)
      const seen = upstream.received.map(({ url }) => url).filter((url) => url.includes('/manifests/'))
      expect([...new Set(seen)]).toEqual([asked])
    }
    expect((await ask(berth, '/docker.io/v2/org/app/manifests/1')).status).toBe(404)
    expect((await ask(berth, `https://docker.io${manifest}`)).status).toBe(200)
    expect((await ask(berth, manifest, { headers: 'X-Forwarded-Host: docker.io\r\n' })).status).toBe(200)
  })

  it('the catalog names nothing that is hosted here', async () => {
    const { berth } = await startProxying({ access: { anonymous: 'push' } })
    await new Pusher(berth.url, 'team/secret').image('1', 'a layer')
    expect((await fetchRaw(`${berth.url}/v2/_catalog`)).json()).toEqual({ repositories: ['team/secret'] })
    expect((await ask(berth, '/v2/_catalog')).text).not.toContain('team')
  })

  it.each(['/healthz', '/readyz', '/metrics', '/'])('%s of Berth itself is not there', async (path) => {
    const { berth } = await startProxying()
    expect((await ask(berth, path)).status).toBe(404)
  })

  it('no further tunnel can be opened', async () => {
    const { berth } = await startProxying({ proxy: { enabled: true, allow: ['*'] } })
    const { socket } = await openTunnel(berth, 'quay.test:443')
    const secure = tls.connect({ socket, servername: 'quay.test', ca: (await openAuthority(berth.data)).certificate })
    let text = ''
    secure.on('error', () => {}).on('data', (chunk: Buffer) => (text += chunk.toString()))
    secure.write('CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n')
    await once(secure, 'close')
    expect(text).toBe('')
  })

  it.each([
    ['TLSv1.1', undefined],
    ['TLSv1.2', 'http/1.1'],
    ['TLSv1.3', 'http/1.1'],
  ] as const)('%s speaks %s', async (version, spoken) => {
    const { berth } = await startProxying()
    const { socket } = await openTunnel(berth, 'quay.test:443')
    const secure = tls.connect({
      socket,
      servername: 'quay.test',
      ca: (await openAuthority(berth.data)).certificate,
      ...{ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    const agreed = once(secure, 'secureConnect').then(() => secure.alpnProtocol)
    expect(await agreed.catch(() => undefined)).toBe(spoken)
    secure.destroy()
  })

  it('a push is refused with words that help', async () => {
    const { berth } = await startProxying()
    const { status, text } = await ask(berth, '/v2/org/app/blobs/uploads/', { method: 'POST' })
    expect([status, text]).toEqual([403, expect.stringContaining('belongs to the upstream quay.test')])
  })

  it("nobody is challenged, and a client's login for the upstream goes nowhere", async () => {
    const user = { username: 'admin', password: 'secret' }
    const { berth, upstream } = await startProxying({ access: { anonymous: 'pull', user } })
    const headers = `Authorization: Basic ${Buffer.from('someone:else').toString('base64')}\r\n`
    expect((await ask(berth, manifest, { headers })).status).toBe(200)
    expect(upstream.received.filter((entry) => entry.headers.authorization !== undefined)).toEqual([])
    const push = await ask(berth, '/v2/org/app/blobs/uploads/', { method: 'POST', headers })
    expect(push.status).toBe(403)
    expect(push.text.toLowerCase()).not.toContain('www-authenticate')
  })
})

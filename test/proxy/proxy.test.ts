import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, it } from 'vitest'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { eventually } from '../helpers/open-files.ts'
import { startBerth, type BerthOptions, type RunningBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const manifest = '/v2/org/app/manifests/1'

async function startProxying(settings: BerthOptions = {}) {
  const blobs = { config: '{}', layer: 'a layer' }
  const content = { 'org/app': { blobs, manifests: { m: { config: 'config', layers: ['layer'] } }, tags: { 1: 'm' } } }
  const upstream = await startUpstream({ content })
  const upstreams = [
    { name: 'quay.test', url: upstream.url, aliases: ['other.test:5000'] },
    { name: 'docker.io', url: 'http://127.0.0.1:1' },
  ]
  const proxy = { enabled: true }
  const berth = await startBerth({ upstreams, hosted: { namespaces: ['team'] }, proxy, ...settings })
  return { upstream, berth }
}

/** Opens a tunnel and reads the answer's head; what comes behind it is left in the socket. */
async function openTunnel(
  berth: RunningBerth,
  target: string,
  headers = '',
): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${headers}\r\n`)
  let answer = ''
  while (!answer.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answer += chunk.toString()
  }
  socket.pause()
  return { socket, answer }
}

interface Inside {
  host?: string
  method?: string
  headers?: string
  proxyHeaders?: string
  target?: string
}

/** Asks for a path inside a tunnel, as a client that trusts Berth's authority alone. */
async function ask(berth: RunningBerth, path: string, inside: Inside = {}): Promise<{ status: number; text: string }> {
  const { host = 'quay.test', target = `${host}:443`, method = 'GET', headers = '', proxyHeaders = '' } = inside
  const { socket, answer } = await openTunnel(berth, target, proxyHeaders)
  if (!answer.startsWith('HTTP/1.1 200')) return { status: Number(answer.split(' ')[1]), text: answer }
  const { certificate } = await openAuthority(berth.data)
  const secure = tls.connect({ socket, servername: host, ca: certificate })
  secure.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`)
  let text = ''
  secure.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  await once(secure, 'end')
  secure.destroy()
  return { status: Number(text.split(' ')[1]), text }
}

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

describe('a CONNECT', () => {
  it.each(['evil.test:443', '127.0.0.1:22', '[::1]:443', 'quay.test:22', 'localhost:443', 'quay.test.evil.test:443'])(
    'to %s, which nothing allows, is refused',
    async (target) => {
      const { berth } = await startProxying()
      const { socket, answer } = await openTunnel(berth, target)
      expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*proxy\.allow/)
      socket.destroy()
    },
  )

  it('to a host of the list is passed on, byte for byte, with what came along with it', async () => {
    const upstream = await startUpstream({ content: {} })
    const other = await startBerth({ proxy: { enabled: true, allow: [upstream.host] } })
    const { socket, answer } = await openTunnel(
      other,
      upstream.host,
      '\r\nGET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n',
    )
    let text = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    while (!text.includes('{}')) {
      const [chunk] = (await once(socket.resume(), 'data')) as [Buffer]
      text += chunk.toString()
    }
    expect(text).toMatch(/^HTTP\/1\.1 200/)
    expect(upstream.requests).toEqual(['GET /v2/ 200'])
    socket.destroy()
  })

  it('to a name that a pattern allows and that leads to this machine is refused', async () => {
    const { berth } = await startProxying({ proxy: { enabled: true, allow: ['*.localhost'] } })
    const { socket, answer } = await openTunnel(berth, 'x.localhost:443')
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    socket.destroy()
  })

  it('must prove who sends it where nobody may pull without a login', async () => {
    const user = { username: 'ci', password: 'p:w' }
    const { berth } = await startProxying({ access: { anonymous: 'none', user } })
    const login = (text: string) => `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`
    for (const proxyHeaders of ['', login('ci:wrong')]) {
      const refused = await ask(berth, manifest, { proxyHeaders })
      expect([refused.status, refused.text]).toEqual([407, expect.stringContaining('Proxy-Authenticate: Basic')])
    }
    expect((await ask(berth, manifest, { proxyHeaders: login('ci:p:w') })).status).toBe(200)
  })

  it('is not taken where the proxy is off', async () => {
    const { berth } = await startProxying({ proxy: { enabled: false } })
    const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
    socket.write('CONNECT quay.test:443 HTTP/1.1\r\nHost: quay.test:443\r\n\r\n')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString())).on('error', () => {})
    await once(socket, 'close')
    expect(answer).toBe('')
  })
})

describe('the proxy', () => {
  it('refuses requests for whole URLs: it is no open proxy for http', async () => {
    const { berth, upstream } = await startProxying()
    const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
    socket.write(`GET http://quay.test${manifest} HTTP/1.1\r\nHost: quay.test\r\nConnection: close\r\n\r\n`)
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(upstream.requests).toEqual([])
  })

  it('keeps nothing of clients that leave in the middle of a handshake', async () => {
    const { berth } = await startProxying({ shutdownGrace: '20s' })
    for (let i = 0; i < 20; i++) {
      const { socket } = await openTunnel(berth, 'quay.test:443')
      socket.write(Buffer.from([22, 3, 1, 2, 0, 1]))
      socket.destroy()
    }
    const started = Date.now()
    await berth.stop()
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  it('closes a tunnel whose client speaks anything but TLS', async () => {
    const { berth } = await startProxying()
    const { socket } = await openTunnel(berth, 'quay.test:443')
    socket.write('GET / HTTP/1.1\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
  })

  it('stops with idle tunnels open, and cuts busy ones after the grace', async () => {
    const { berth } = await startProxying({ shutdownGrace: '300ms' })
    const idle = await openTunnel(berth, 'quay.test:443')
    let closed = false
    idle.socket.on('close', () => (closed = true)).resume()
    await berth.stop()
    await eventually(
      () => closed,
      () => 'the idle tunnel is still open',
    )
  })
})

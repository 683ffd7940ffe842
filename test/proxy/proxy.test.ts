import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import tls from 'node:tls'
import { describe, expect, it } from 'vitest'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { eventually } from '../helpers/open-files.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { openTunnel, ask, startProxying, tunnelManifest as manifest } from '../helpers/tunnels.ts'

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

  it.each([
    'user@quay.test:443',
    'quay.test:443:443',
    'quay..test:443',
    '[::1',
    ':443',
    'quay.test:99999',
    'quay.test',
  ])('to %s, which is no target, is refused', async (target) => {
    const { berth } = await startProxying({ proxy: { enabled: true, allow: ['*'] } })
    const { socket, answer } = await openTunnel(berth, target)
    expect(answer).toMatch(/^HTTP\/1\.1 40[03] /)
    socket.destroy()
  })

  it('that is over-long is refused, and nothing of it is repeated', async () => {
    const { berth } = await startProxying()
    const { socket, answer } = await openTunnel(berth, `${'a'.repeat(5_000)}.test:443`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer.length).toBeLessThan(500)
    const longer = await openTunnel(berth, `${'a'.repeat(20_000)}.test:443`)
    expect(longer.answer).toMatch(/^HTTP\/1\.1 431 /)
    for (const each of [socket, longer.socket]) each.destroy()
  })

  it('is answered though the handshake came along with it', async () => {
    const { berth } = await startProxying()
    const ca = (await openAuthority(berth.data)).certificate
    // What TLS would send first, held back and sent behind the CONNECT in one piece.
    const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
    const through = new Duplex({
      read() {},
      write: (chunk: Buffer, _, done) => {
        const first = !socket.bytesWritten
        const connectHead = 'CONNECT quay.test:443 HTTP/1.1\r\nHost: quay.test:443\r\n\r\n'
        socket.write(first ? Buffer.concat([Buffer.from(connectHead), chunk]) : chunk, () => done())
      },
    })
    let head = ''
    socket.on('data', (chunk: Buffer) => {
      if (head.endsWith('\r\n\r\n')) return void through.push(chunk)
      const all = Buffer.concat([Buffer.from(head, 'latin1'), chunk])
      const end = all.indexOf('\r\n\r\n') + 4
      head = all.subarray(0, end).toString('latin1')
      if (all.length > end) through.push(all.subarray(end))
    })
    await once(socket, 'connect')
    const secure = tls.connect({ socket: through, servername: 'quay.test', ca })
    await once(secure, 'secureConnect')
    secure.destroy()
    socket.destroy()
  })

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
    const { berth } = await startProxying({ proxy: { enabled: true, allow: ['*'] } })
    const { socket, answer } = await openTunnel(berth, 'localhost:443')
    expect(answer).toMatch(/^HTTP\/1\.1 502 .*its address is one of this network/s)
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

import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../src/listen.ts'
import { createProxy, openAuthority, type TunnelEvent } from '../../src/proxy/proxy.ts'
import { publicLookup } from '../../src/upstream/upstream.ts'
import { makeFolder } from '../helpers/folder.ts'
import { eventually } from '../helpers/open-files.ts'

const patience = { headers: 600, idle: 400, keepAlive: 600, look: 50 }

/** A proxy with less patience than Berth has, whose one upstream answers a byte at a time, ten in all. */
async function start(allow: string[] = []) {
  const authority = await openAuthority(makeFolder())
  const events: TunnelEvent[] = []
  const proxy = createProxy({
    authority,
    upstreamOf: (host) => (host === 'quay.test' ? host : undefined),
    serve: () => (_, outgoing) => {
      let left = 10
      const timer = setInterval(() => (left-- > 0 ? outgoing.write('a') : outgoing.end()), 200)
      outgoing.once('close', () => clearInterval(timer))
    },
    admit: () => Promise.resolve(),
    allow,
    publicLookup,
    report: (event) => events.push(event),
  })
  const listener = await listen(() => new Response('no'), { host: '127.0.0.1', port: 0 }, { proxy }, patience)
  onTestFinished(() => listener.close(0))
  const port = Number(new URL(listener.url).port)

  const openTunnel = async (target: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /)
    return socket
  }
  const secure = async (): Promise<tls.TLSSocket> => {
    const socket = tls.connect({
      socket: await openTunnel('quay.test:443'),
      servername: 'quay.test',
      ca: authority.certificate,
    })
    await once(
      socket.on('error', () => {}),
      'secureConnect',
    )
    return socket
  }
  return { port, events, openTunnel, secure }
}

const openSockets = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length

describe('a tunnel to an upstream', () => {
  it('stays while an answer goes on, however slowly', async () => {
    const { secure } = await start()
    const socket = await secure()
    socket.write('GET /v2/ HTTP/1.1\r\nHost: quay.test\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of socket.setEncoding('latin1')) text += chunk
    expect(text.match(/^a\r$/gm)).toHaveLength(10)
  })

  it.each([
    ['nothing inside', ''],
    ['half of its headers inside', 'GET /v2/ HTTP/1.1\r\nX-Slow: '],
    ['half of its body inside', 'PUT /v2/ HTTP/1.1\r\nHost: quay.test\r\nContent-Length: 5\r\n\r\nab'],
  ])('is closed when its client sends %s', async (_, text) => {
    const { secure } = await start()
    const socket = await secure()
    socket.write(text)
    await once(socket.resume(), 'close')
  })
})

describe('the proxy', () => {
  it('has no descriptor open for clients that left, at whatever moment', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume())
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void silent.close())
    const other = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const { port, events, openTunnel } = await start([other])
    const before = openSockets()
    for (let round = 0; round < 10; round++) {
      for (const target of [other, 'quay.test:443']) {
        const waiting = connect(port, '127.0.0.1').on('error', () => {})
        waiting.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`, () => waiting.resetAndDestroy())
        const ending = connect(port, '127.0.0.1').on('error', () => {})
        ending.end(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
        ending.once('data', () => ending.destroy())
        const tunnel = await openTunnel(target)
        tunnel.write(Buffer.from([22, 3, 1, 2, 0, 1]), () => tunnel.resetAndDestroy())
      }
    }
    await eventually(
      () => openSockets() <= before,
      () => `${openSockets()} sockets are open, of ${before} before; ${events.length} tunnels`,
    )
  })
})

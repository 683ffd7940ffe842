import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import tls from 'node:tls'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { startBerth, type BerthOptions, type RunningBerth } from './start.ts'
import { startUpstream } from './upstream.ts'

/** Of the image that the upstream of `startProxying` has. */
export const tunnelManifest = '/v2/org/app/manifests/1'

/** Berth as HTTPS proxy of quay.test, which is there, and docker.io, which is not; `team` is hosted. */
export async function startProxying(settings: BerthOptions = {}) {
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
export async function openTunnel(
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

export interface Inside {
  host?: string
  method?: string
  headers?: string
  proxyHeaders?: string
  target?: string
}

/** Asks for a path inside a tunnel, as a client that trusts Berth's authority alone. */
export async function ask(
  berth: RunningBerth,
  path: string,
  inside: Inside = {},
): Promise<{ status: number; text: string }> {
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

import { once } from 'node:events'
import http from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { atTestEnd } from './cleanup.ts'

export interface Proxy {
  readonly url: string
  /** `registry.test:443`, in order of arrival. */
  readonly tunnels: string[]
  /** The Proxy-Authorization headers that came. */
  readonly logins: (string | undefined)[]
}

/**
 * An HTTP proxy that takes CONNECT, on loopback. `routes` says where names lead, as `registry.test:443` -> `127.0.0.1:1234`;
 * what is not in it is dialled as asked. Stopped when the running test ends.
 */
export async function startProxy(routes: Record<string, string> = {}): Promise<Proxy> {
  const proxy = { url: '', tunnels: [] as string[], logins: [] as (string | undefined)[] }
  const sockets = new Set<Socket>()
  const server = http.createServer((_, response) => response.writeHead(405).end())
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('connect', (request: http.IncomingMessage, client: Socket, head: Buffer) => {
    const asked = request.url ?? ''
    proxy.tunnels.push(asked)
    proxy.logins.push(request.headers['proxy-authorization'])
    const { hostname, port } = new URL(`http://${routes[asked] ?? asked}`)
    const target = connect(Number(port || 80), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.pipe(target).pipe(client)
    })
    sockets.add(target)
    target.on('error', () => client.destroy())
    client.on('error', () => target.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await atTestEnd(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return proxy
}

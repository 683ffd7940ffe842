import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from './config/config.ts'

export interface Server {
  url: string
  stop(): Promise<void>
}

/** Stands in until the rooms are wired here. */
export async function startServer(config: Config): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(501).end())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.listen.port, config.listen.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${config.listen.host}:${port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

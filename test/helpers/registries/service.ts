import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atTestEnd } from '../cleanup.ts'

export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly form: URLSearchParams
}

export interface Answered {
  status: number
  json?: unknown
  headers?: Record<string, string>
}

export interface Service {
  readonly url: string
  readonly asked: readonly Asked[]
}

/** A small HTTP service that a registry's login goes by, on 127.0.0.1; stopped when the test ends. */
export async function startService(answer: (asked: Asked) => Answered): Promise<Service> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body, form: new URLSearchParams(body) }
      asked.push(one)
      const { status, json, headers: more } = answer(one)
      response.writeHead(status, { 'content-type': 'application/json', ...more })
      response.end(json === undefined ? '' : JSON.stringify(json))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await atTestEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

import { request, type RequestOptions } from 'node:http'
import type { ApiAnswer, ApiRequest } from './api.ts'

/** Sends a request over plain HTTP, which stays on this machine: to loopback, or over a socket. Rejects with the system's error. */
export function sendPlain(
  options: Pick<RequestOptions, 'socketPath' | 'host' | 'port'>,
  { method, path, body }: ApiRequest,
  headers: Record<string, string>,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...options, method, path, headers: { ...headers, ...jsonHeaders(body) } },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        )
      },
    )
    outgoing.on('error', reject).end(body)
  })
}

export function jsonHeaders(body: string | undefined): Record<string, string> {
  if (body === undefined) return {}
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
}

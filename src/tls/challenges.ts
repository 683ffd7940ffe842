import { createServer } from 'node:http'

export interface Challenges {
  add(token: string, answer: string): void
  remove(token: string): void
  close(): Promise<void>
}

const place = '/.well-known/acme-challenge/'

/** Answers an ACME authority's questions (RFC 8555, 8.3) by plain HTTP, and leads everybody else to HTTPS. */
export async function serveChallenges(address: { readonly host: string; readonly port: number }): Promise<Challenges> {
  const answers = new Map<string, string>()
  const server = createServer((request, response) => {
    const { url = '/', headers } = request
    const answer = url.startsWith(place) ? answers.get(url.slice(place.length)) : undefined
    if (answer !== undefined) return response.writeHead(200, { 'Content-Type': 'text/plain' }).end(answer)
    const host = /^[\w.-]+/.exec(headers.host ?? '')?.[0]
    if (!host || !url.startsWith('/') || url.startsWith('//')) return response.writeHead(404).end()
    return response.writeHead(308, { Location: `https://${host}${url}` }).end()
  })
  server.requestTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(address.port, address.host, () => resolve())
  })
  return {
    add: (token, answer) => void answers.set(token, answer),
    remove: (token) => void answers.delete(token),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

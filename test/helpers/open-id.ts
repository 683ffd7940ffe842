import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWK } from 'jose'
import Provider from 'oidc-provider'
import { atTestEnd } from './cleanup.ts'

const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

/** Those that are undefined are left out. */
export type Claims = Readonly<Record<string, unknown>>

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** Something of OpenID that listens on loopback. */
export interface OpenIdServer {
  readonly issuer: string
  /** What it was asked, in order: `GET /jwks`. */
  readonly requests: string[]
  /** An ID token of now, for five minutes. */
  token(claims: Claims, alg?: Algorithm, kid?: string): Promise<string>
  /** Answers nobody any more, until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** A real OpenID provider on loopback, which publishes its keys; with these ID tokens are signed as a CI platform signs its own. */
export interface OpenId extends OpenIdServer {
  /** The public RSA key, PEM. */
  readonly publicKey: string
}

/** `now`: in milliseconds, the time of its tokens. */
export async function startOpenId(now: () => number = Date.now): Promise<OpenId> {
  const { answerBy, keys, publicKey, ...server } = await startOpenIdServer(now)
  answerBy(new Provider(server.issuer, { jwks: { keys }, cookies: { keys: ['of a test'] } }).callback())
  return { ...server, publicKey }
}

/** The same without a provider, which is to be made of its keys and issuer: `answerBy` says which. */
export async function startOpenIdServer(now: () => number = Date.now): Promise<
  OpenIdServer & {
    readonly keys: JWK[]
    readonly publicKey: string
    readonly answerBy: (answer: Answer) => void
  }
> {
  const pairs = new Map(
    await Promise.all(algorithms.map(async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const)),
  )
  const keys = await Promise.all(
    [...pairs].map(async ([alg, { privateKey }]) => ({ ...(await exportJWK(privateKey)), alg, kid: alg, use: 'sig' })),
  )
  const requests: string[] = []
  let answer: Answer = (_, response) => response.writeHead(503).end()
  const server = http.createServer()
  server.on('request', (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    void answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const stop = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((closed) => server.close(closed))
  }
  await atTestEnd(stop)
  return {
    issuer,
    requests,
    keys,
    publicKey: await exportSPKI(pairs.get('RS256')!.publicKey),
    answerBy: (by) => (answer = by),
    token(claims, alg = 'RS256', kid = alg) {
      const seconds = Math.floor(now() / 1_000)
      const all = { iss: issuer, iat: seconds, nbf: seconds, exp: seconds + 300, ...claims }
      return new SignJWT(all).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(pairs.get(alg)!.privateKey)
    },
    stop,
    async start() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}

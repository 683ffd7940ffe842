import { UpstreamError } from '../oci/errors.ts'
import { basic, type Credentials } from './credentials.ts'
import { timeouts } from './network.ts'
import { retryAfter } from './retry.ts'
import type { Answer, Transport } from './transport.ts'

export interface Token {
  readonly value: string
  /** From this time on a new one is fetched, in milliseconds since 1970. */
  readonly renewAt: number
}

export interface TokenQuery {
  upstream: string
  realm: URL
  /** Some registries (nvcr.io) name no service; the parameter is then left out. */
  service: string | undefined
  scope: string
  credentials: Credentials | undefined
}

/** A token answer is a few KiB; this only guards memory. */
const maxAnswer = 1024 * 1024
const maxRedirects = 3

/**
 * Asks a token server: by GET (distribution, docs/content/spec/auth/token.md), or with an identity token by POST
 * (docs/content/spec/auth/oauth.md). Throws UpstreamError: unauthorized when it refuses, else what went wrong.
 */
export async function fetchToken(query: TokenQuery, transport: Transport, now: () => number): Promise<Token> {
  const identity = query.credentials?.kind === 'identity' ? query.credentials.token : undefined
  const answer = await (identity === undefined ? get(query, transport) : post(query, identity, transport))
  const body = await answer.bytes(maxAnswer)
  if (answer.status !== 200) throw refusal(query, answer.status, answer.headers)
  return readToken(query, body, now())
}

/** Asks, and goes where it is sent; credentials stay with the server they were meant for. */
async function get({ realm, service, scope, credentials }: TokenQuery, transport: Transport): Promise<Answer> {
  const signal = AbortSignal.timeout(timeouts.token)
  let url = new URL(realm)
  if (service) url.searchParams.set('service', service)
  url.searchParams.append('scope', scope)
  if (credentials?.kind === 'password') url.searchParams.set('account', credentials.username)
  for (let hops = 0; ; hops++) {
    const known = credentials && url.origin === realm.origin
    const headers = known ? { authorization: basic(credentials) } : {}
    const answer = await transport.send(url, { method: 'GET', headers, signal })
    const location = answer.header('location')
    if (answer.status < 300 || answer.status >= 400 || hops === maxRedirects) return answer
    if (location === undefined || !URL.canParse(location, url.href)) return answer
    answer.drop()
    url = new URL(location, url)
  }
}

/** No redirect is followed: the identity token stays with the server it was meant for. */
function post({ realm, service, scope }: TokenQuery, identity: string, transport: Transport): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'berth', refresh_token: identity, scope })
  if (service) form.set('service', service)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const signal = AbortSignal.timeout(timeouts.token)
  return transport.send(realm, { method: 'POST', headers, body: form.toString(), signal })
}

function refusal(
  query: TokenQuery,
  status: number,
  headers: Record<string, string | string[] | undefined>,
): UpstreamError {
  const said = `upstream ${query.upstream}: token server ${query.realm.host} answered ${status} for ${query.scope}`
  if (status === 429) return new UpstreamError('rate-limited', said, { ...retryAfter(headers) })
  if (status >= 500) return new UpstreamError('server-error', said)
  const hint = query.credentials ? '; check the credentials of this upstream' : '; it may need credentials'
  return new UpstreamError('unauthorized', said + hint)
}

function readToken(query: TokenQuery, body: Buffer, now: number): Token {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    json = undefined
  }
  const given = (json ?? {}) as { token?: unknown; access_token?: unknown; expires_in?: unknown }
  const value = given.token || given.access_token
  // What no header can hold would be taken for a failure of the network.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new UpstreamError('bad-answer', `upstream ${query.upstream}: token server ${query.realm.host} sent no token`)
  }
  // The specification's default is 60 s; the margin covers the request that carries it and clocks that differ.
  const seconds = typeof given.expires_in === 'number' && given.expires_in > 0 ? given.expires_in : 60
  return { value, renewAt: now + (seconds - Math.min(30, seconds / 4)) * 1000 }
}

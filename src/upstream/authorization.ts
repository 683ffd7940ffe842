import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import { basic, type CredentialScope, type Credentials } from './credentials.ts'
import type { Challenge } from './challenge.ts'
import { fetchToken, type Token } from './token.ts'
import type { Transport } from './transport.ts'

export interface AuthorizationOptions {
  upstream: string
  url: URL
  credentials: CredentialScope
  transport: Transport
  now: () => number
  /** Told when a token server or registry refuses the configured credentials. */
  refused: (realm: string) => void
}

/**
 * The Authorization header for requests to one upstream's hosts. Tokens are kept by realm, service, scope and account,
 * asked for once however many requests wait, and renewed before they end.
 */
export class Authorization {
  readonly #options: AuthorizationOptions
  readonly #tokens = new LRUCache<string, Token>({ max: 1000 })
  readonly #flights = new Map<string, Promise<Token>>()
  /**
   * What each origin last asked for, for a scope and for any: the next repository's first request then carries a token
   * already, and where a repository has another name behind a redirect (registry.k8s.io), its second request.
   */
  readonly #remembered = new LRUCache<string, Challenge>({ max: 2000 })

  constructor(options: AuthorizationOptions) {
    this.#options = options
  }

  /** The header to send before any challenge of this request; undefined while the host has not asked for one. */
  async foreseen(target: URL, scope: string): Promise<string | undefined> {
    const same = this.#remembered.get(`${target.origin} ${scope}`)
    if (same) return this.#answer(target, same, scope, same.params.scope)
    const challenge = this.#remembered.get(target.origin)
    return challenge && this.#answer(target, challenge, scope)
  }

  /**
   * The header that answers a 401. `rejected` is the one that the 401 answered: its token is dropped.
   * Undefined when no challenge can be answered, or only by what was just rejected.
   */
  async answer(target: URL, challenges: Challenge[], scope: string, rejected?: string): Promise<string | undefined> {
    if (rejected) this.#drop(rejected)
    const bearer = challenges.find((c) => c.scheme === 'bearer' && c.params.realm)
    const challenge = bearer ?? challenges.find((c) => c.scheme === 'basic')
    if (!challenge) return undefined
    this.#remembered.set(target.origin, challenge)
    this.#remembered.set(`${target.origin} ${scope}`, challenge)
    const header = await this.#answer(target, challenge, scope, challenge.params.scope)
    return header === rejected ? undefined : header
  }

  async #answer(target: URL, challenge: Challenge, scope: string, asked?: string): Promise<string | undefined> {
    const credentials = this.#options.credentials.for(target, this.#options.url)
    if (challenge.scheme === 'basic') return credentials && basic(credentials)
    // A scope that is not about one repository (ECR Public's `aws`) holds for all.
    const general = challenge.params.scope?.startsWith('repository:') === false ? challenge.params.scope : undefined
    const token = await this.#token(target, challenge, asked || general || scope)
    return `Bearer ${token.value}`
  }

  async #token(target: URL, challenge: Challenge, scope: string): Promise<Token> {
    const realm = this.#realmOf(challenge, target)
    const credentials = this.#options.credentials.for(realm, this.#options.url)
    const key = [realm.href, challenge.params.service, scope, credentials?.username].join(' ')
    const kept = this.#tokens.get(key)
    if (kept && this.#options.now() < kept.renewAt) return kept
    let flight = this.#flights.get(key)
    if (!flight) {
      flight = this.#fetch(realm, challenge.params.service, scope, credentials).finally(() => this.#flights.delete(key))
      this.#flights.set(key, flight)
    }
    const token = await flight
    this.#tokens.set(key, token)
    return token
  }

  /** The token server. A challenge may name it by a path alone. */
  #realmOf({ params: { realm = '' } }: Challenge, target: URL): URL {
    const url = URL.canParse(realm, target.href) ? new URL(realm, target) : undefined
    if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
    const { upstream } = this.#options
    throw new UpstreamError('bad-answer', `upstream ${upstream}: ${target.host} names a token server by no http(s) URL`)
  }

  async #fetch(realm: URL, service: string | undefined, scope: string, credentials?: Credentials): Promise<Token> {
    const { upstream, transport, now } = this.#options
    const ask = (as?: Credentials) => fetchToken({ upstream, realm, service, scope, credentials: as }, transport, now)
    try {
      return await ask(credentials)
    } catch (error) {
      if (!credentials || !(error instanceof UpstreamError && error.failure === 'unauthorized')) throw error
      // Public images stay within reach when a password has expired.
      this.#options.refused(realm.host)
      return ask()
    }
  }

  #drop(header: string): void {
    for (const [key, token] of this.#tokens.entries()) {
      if (header === `Bearer ${token.value}`) this.#tokens.delete(key)
    }
  }
}

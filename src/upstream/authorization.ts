import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import { basic, type CredentialScope, type CredentialSource } from './credentials.ts'
import type { Challenge } from './challenge.ts'
import { fetchToken, type Token } from './token.ts'
import type { Transport } from './transport.ts'

export interface AuthorizationOptions {
  upstream: string
  credentials: CredentialScope
  transport: Transport
  now: () => number
  /** Told when a host refuses the configured credentials or they cannot be had, and when they are good again. */
  judged: (good: boolean, host: string, why: string) => void
}

/**
 * The Authorization header for requests to one upstream's hosts, as one account. Tokens are kept by realm, service and
 * scope, asked for once however many requests wait, and renewed before they end.
 */
export class Authorization {
  readonly #options: AuthorizationOptions
  readonly #tokens = new LRUCache<string, Token>({ max: 2_000 })
  readonly #flights = new Map<string, Promise<Token>>()
  /**
   * What each origin last asked for, for a scope and for any: the next repository's first request then carries a token
   * already, and where a repository has another name behind a redirect (registry.k8s.io), its second request.
   */
  readonly #remembered = new LRUCache<string, Challenge>({ max: 2000 })
  #good = true

  constructor(options: AuthorizationOptions) {
    this.#options = options
  }

  /** Whether the credentials were refused when they were last used. */
  get broken(): boolean {
    return !this.#good
  }

  /** The header to send before any challenge of this request; undefined while the host has not asked for one. */
  async foreseen(target: URL, scope: string): Promise<string | undefined> {
    const same = this.#remembered.get(`${target.origin} ${scope}`)
    if (same) return this.#answer(target, same, scope, same.params.scope)
    const challenge = this.#remembered.get(target.origin)
    return challenge && this.#guessed(target, challenge, scope)
  }

  /**
   * The header that answers a 401. `rejected` is the one that the 401 answered: what it came from is dropped.
   * Undefined when no challenge can be answered, or only by what was just rejected.
   */
  async answer(target: URL, challenges: Challenge[], scope: string, rejected?: string): Promise<string | undefined> {
    if (rejected) this.#drop(target, rejected)
    const bearer = challenges.find((c) => c.scheme === 'bearer' && c.params.realm)
    const challenge = bearer ?? challenges.find((c) => c.scheme === 'basic')
    if (!challenge) return undefined
    this.#remembered.set(target.origin, challenge)
    this.#remembered.set(`${target.origin} ${scope}`, challenge)
    const header = await this.#answer(target, challenge, scope, challenge.params.scope)
    return header === rejected ? undefined : header
  }

  /** A header of credentials, not of a token that a token server gave, was refused, and there is no better one. */
  refused(target: URL, header: string): void {
    if (header.startsWith('Basic ')) this.#judge(false, target.host, 'refused')
  }

  /** A request with this header got in. */
  accepted(target: URL, header: string): void {
    if (!this.#good && header.startsWith('Basic ')) this.#judge(true, target.host, 'accepted')
  }

  /** The header of a login that may have run out: whether there may be a newer one now. */
  outdated(target: URL, header: string): boolean {
    return header.startsWith('Basic ') && (this.#options.credentials.for(target)?.forget() ?? false)
  }

  async #answer(target: URL, challenge: Challenge, scope: string, asked?: string): Promise<string | undefined> {
    const source = this.#options.credentials.for(target)
    if (challenge.scheme === 'basic') return source && (await this.#basic(target, source))
    const direct = await this.#direct(source)
    if (direct !== undefined) return direct
    // A scope that is not about one repository (ECR Public's `aws`) holds for all.
    const general = challenge.params.scope?.startsWith('repository:') === false ? challenge.params.scope : undefined
    const token = await this.#token(target, challenge, asked || general || scope)
    return `Bearer ${token.value}`
  }

  /** What another repository was asked for may not be what this one will be (nvcr.io: the token server is another). */
  async #guessed(target: URL, challenge: Challenge, scope: string): Promise<string | undefined> {
    try {
      return await this.#answer(target, challenge, scope)
    } catch (error) {
      if (!isRefusal(error)) throw error
      return undefined
    }
  }

  async #basic(target: URL, source: CredentialSource): Promise<string | undefined> {
    try {
      const credentials = await source.get()
      return credentials.kind === 'bearer' ? `Bearer ${credentials.token}` : basic(credentials)
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#judge(false, target.host, error.message)
      return undefined
    }
  }

  /** A token that is for the registry itself goes to no token server. */
  async #direct(source: CredentialSource | undefined): Promise<string | undefined> {
    if (!source) return undefined
    const credentials = await source.get().catch(() => undefined)
    return credentials?.kind === 'bearer' ? `Bearer ${credentials.token}` : undefined
  }

  async #token(target: URL, challenge: Challenge, scope: string): Promise<Token> {
    const realm = this.#realmOf(challenge, target)
    const key = [realm.href, challenge.params.service, scope].join(' ')
    const kept = this.#tokens.get(key)
    if (kept && this.#options.now() < kept.renewAt) return kept
    let flight = this.#flights.get(key)
    if (!flight) {
      flight = this.#fetch(realm, challenge.params.service, scope).finally(() => this.#flights.delete(key))
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

  async #fetch(realm: URL, service: string | undefined, scope: string): Promise<Token> {
    const { upstream, transport, now, credentials } = this.#options
    const source = credentials.for(realm)
    const ask = async (as?: CredentialSource) =>
      fetchToken({ upstream, realm, service, scope, credentials: await as?.get() }, transport, now)
    if (!source) return ask()
    try {
      const token = await ask(source).catch((error: unknown) => {
        if (isRefusal(error) && source.forget()) return ask(source)
        throw error
      })
      this.#judge(true, realm.host, 'accepted')
      return token
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#judge(false, realm.host, error.message)
      // Public images stay within reach when a password has expired.
      return ask()
    }
  }

  #judge(good: boolean, host: string, why: string): void {
    if (good === this.#good) return
    this.#good = good
    this.#options.judged(good, host, why)
  }

  #drop(target: URL, header: string): void {
    if (header.startsWith('Basic ')) this.#options.credentials.for(target)?.forget()
    for (const [key, token] of this.#tokens.entries()) {
      if (header === `Bearer ${token.value}`) this.#tokens.delete(key)
    }
  }
}

function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.failure === 'unauthorized'
}

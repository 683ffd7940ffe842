import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { basic, type CredentialScope, type CredentialSource } from './credentials.ts'
import type { Challenge } from './challenge.ts'
import { fetchToken, type Token, type TokenQuery } from './token.ts'
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
  readonly #flights = new Flights()
  /**
   * What each origin last asked for, for a scope and for any: the next repository's first request then carries a token
   * already, and where a repository has another name behind a redirect (registry.k8s.io), its second request.
   */
  readonly #remembered = new LRUCache<string, Challenge>({ max: 2000 })
  #good = true
  /** The header of a token that is for the registry itself, and no token server gave. */
  #direct: string | undefined

  constructor(options: AuthorizationOptions) {
    this.#options = options
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
    const challenge = challenges.find(isBearer) ?? challenges.find((c) => c.scheme === 'basic')
    if (!challenge) return undefined
    this.#remembered.set(target.origin, challenge)
    this.#remembered.set(`${target.origin} ${scope}`, challenge)
    const header = await this.#answer(target, challenge, scope, challenge.params.scope)
    return header === rejected ? undefined : header
  }

  /** Whether a header is the login itself, not a token that a token server gave for it. */
  isLogin(header: string): boolean {
    return header.startsWith('Basic ') || header === this.#direct
  }

  /** The header that answers a 401 as anybody could, whose login was refused; undefined where that is none. */
  async asNobody(target: URL, challenges: Challenge[], scope: string): Promise<string | undefined> {
    const bearer = challenges.find(isBearer)
    if (!bearer) return undefined
    return `Bearer ${(await this.#token(target, bearer, bearer.params.scope ?? scope, true)).value}`
  }

  /** A header was refused, and there is no better one. */
  refused(target: URL, header: string): void {
    if (this.isLogin(header)) this.#judge(false, target.host, 'refused')
  }

  /** A request with this header got in. */
  accepted(target: URL, header: string): void {
    if (!this.#good && this.isLogin(header)) this.#judge(true, target.host, 'accepted')
  }

  /** The header of a login that may have run out: whether there may be a newer one now. */
  outdated(target: URL, header: string): boolean {
    return header.startsWith('Basic ') && (this.#options.credentials.for(target)?.forget() ?? false)
  }

  async #answer(target: URL, challenge: Challenge, scope: string, asked?: string): Promise<string | undefined> {
    const source = this.#options.credentials.for(target)
    if (challenge.scheme === 'basic') return source && (await this.#basic(target, source))
    const direct = await this.#directOf(source)
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
      return credentials.kind === 'bearer' ? (this.#direct = `Bearer ${credentials.token}`) : basic(credentials)
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#judge(false, target.host, error.message)
      return undefined
    }
  }

  /** A token that is for the registry itself goes to no token server. */
  async #directOf(source: CredentialSource | undefined): Promise<string | undefined> {
    if (!source) return undefined
    const credentials = await source.get().catch(() => undefined)
    if (credentials?.kind !== 'bearer') return undefined
    return (this.#direct = `Bearer ${credentials.token}`)
  }

  async #token(target: URL, challenge: Challenge, scope: string, asNobody = false): Promise<Token> {
    const realm = this.#realmOf(challenge, target)
    const { service } = challenge.params
    const key = [realm.href, service, scope, asNobody ? 'nobody' : ''].join(' ')
    const kept = this.#tokens.get(key)
    if (kept && this.#options.now() < kept.renewAt) return kept
    const token = await this.#flights.share(key, () => {
      const source = asNobody ? undefined : this.#options.credentials.for(realm)
      return this.#fetch({ realm, service, scope }, source)
    })
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

  async #fetch(asked: Pick<TokenQuery, 'realm' | 'service' | 'scope'>, source?: CredentialSource): Promise<Token> {
    const { upstream, transport, now } = this.#options
    const ask = async (as?: CredentialSource) =>
      fetchToken({ ...asked, upstream, credentials: await as?.get() }, transport, now)
    if (!source) return ask()
    try {
      const token = await ask(source).catch((error: unknown) => {
        if (isRefusal(error) && source.forget()) return ask(source)
        throw error
      })
      this.#judge(true, asked.realm.host, 'accepted')
      return token
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#judge(false, asked.realm.host, error.message)
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

function isBearer({ scheme, params }: Challenge): boolean {
  return scheme === 'bearer' && Boolean(params.realm)
}

function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.failure === 'unauthorized'
}

import type { FetchImplementation, JWTPayload, JWTVerifyGetKey } from 'jose'
import { RegistryError } from '../oci/errors.ts'

// Loaded with the first token.
const jose = () => import('jose')

/** Signatures with public keys alone: with others, who knows the published key could sign. */
const algorithms = ['RS256', 'ES256', 'EdDSA']

/** For so long after it could not be reached an issuer is not asked again, in milliseconds. */
const coolDown = 10_000

/** Reads JSON; rejects when there is none to be had. */
export type GetJson = (url: string) => Promise<unknown>

export interface OpenIdIssuerOptions {
  /** As tokens name it, to the letter. */
  url: string
  getJson: GetJson
  now: () => number
}

/** Checks ID tokens of one issuer by the keys that it publishes (OpenID Connect Discovery 1.0). */
export class OpenIdIssuer {
  readonly #options: OpenIdIssuerOptions
  #keys: Promise<JWTVerifyGetKey> | undefined
  #down: { error: RegistryError; until: number } | undefined

  constructor(options: OpenIdIssuerOptions) {
    this.#options = options
  }

  /** What a token for one of these audiences says; undefined for one that is not right. Throws UNAVAILABLE (503) while the keys cannot be had. */
  async verify(token: string, audience: string[]): Promise<JWTPayload | undefined> {
    const { jwtVerify } = await jose()
    try {
      const { payload } = await jwtVerify(token, (header, input) => this.#key(header, input), {
        algorithms,
        issuer: this.#options.url,
        audience,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.#options.now()),
      })
      return payload
    } catch (error) {
      if (error instanceof RegistryError) throw error
      return undefined
    }
  }

  async #key(...[header, input]: Parameters<JWTVerifyGetKey>): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    if (this.#down && this.#options.now() < this.#down.until) throw this.#down.error
    const { errors } = await jose()
    try {
      const keys = await (this.#keys ??= this.#discover())
      return await keys(header, input)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error
      this.#keys = undefined
      throw this.#failed(error)
    }
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { url, getJson } = this.#options
    const found = (await getJson(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`)) as Discovered | null
    if (found?.issuer !== url) throw new Error(`it calls itself ${String(found?.issuer)}`)
    const { jwks_uri: keysAt } = found
    if (typeof keysAt !== 'string' || !isSafe(keysAt)) throw new Error('its keys are at no https:// URL')
    const { createRemoteJWKSet, customFetch } = await jose()
    // Asks again for a key that it does not know, but not more often than every 30 s.
    const fetchKeys: FetchImplementation = async (keys) => Response.json(await getJson(keys))
    return createRemoteJWKSet(new URL(keysAt), { [customFetch]: fetchKeys })
  }

  #failed(cause: unknown): RegistryError {
    const message = `${this.#options.url} cannot be asked for its keys now, without which its tokens cannot be checked`
    const headers = { 'Retry-After': String(coolDown / 1_000) }
    const error = new RegistryError('UNAVAILABLE', message, { status: 503, headers, cause })
    this.#down = { error, until: this.#options.now() + coolDown }
    return error
  }
}

interface Discovered {
  readonly issuer?: unknown
  readonly jwks_uri?: unknown
}

/** Whether a URL that an issuer named is one of https, or of this machine: what came in the clear could be anybody's. */
export function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
}

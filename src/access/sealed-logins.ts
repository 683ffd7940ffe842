import { randomBytes } from 'node:crypto'
import { bounded } from './bounded.ts'

// Loaded with the first login at a provider.
const jose = () => import('jose')

/** How long somebody may take at the provider, in seconds. */
export const loginLifetime = 600

/** What must come back from the provider as it went there, and what the exchange of the code needs (RFC 7636, OpenID Connect Core 1.0). */
export interface BegunLogin {
  readonly provider: string
  readonly state: string
  readonly nonce: string
  /** PKCE's code_verifier. */
  readonly verifier: string
  /** Our URL to which the provider sends the browser back. */
  readonly redirectUri: string
  /** The page that the login is for. */
  readonly next: string
}

/**
 * Logins that were begun, each kept by the browser that began it and not by us: encrypted, for a while, for one use. So no one
 * fills our memory, or drives out the login of another, by beginning many. Good until the process ends.
 */
export class SealedLogins {
  readonly #key = randomBytes(32)
  readonly #used = bounded<true>(50_000)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  async seal(login: BegunLogin): Promise<string> {
    const { EncryptJWT } = await jose()
    return new EncryptJWT({ ...login })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(Math.floor(this.#now() / 1_000) + loginLifetime)
      .encrypt(this.#key)
  }

  /** The login to which an answer with this `state` belongs, this once; undefined where there is none, or none any more. */
  async use(sealed: string, { provider, state }: { provider: string; state: string }): Promise<BegunLogin | undefined> {
    const login = await this.#open(sealed)
    if (login?.provider !== provider || login.state !== state || this.#used.has(state)) return undefined
    this.#used.set(state, true)
    return login
  }

  async #open(sealed: string): Promise<BegunLogin | undefined> {
    const { jwtDecrypt } = await jose()
    try {
      const { payload } = await jwtDecrypt(sealed, this.#key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        requiredClaims: ['exp'],
        currentDate: new Date(this.#now()),
      })
      return payload as unknown as BegunLogin
    } catch {
      return undefined
    }
  }
}

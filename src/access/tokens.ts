import type { JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Soon } from '../oci/registry.ts'
import { Keys } from './keys.ts'
import type { Credential } from './identity.ts'
import type { Scope } from './scope.ts'

// Loaded with the first token.
const jose = () => import('jose')

/** How long a token opens the registry, in seconds; clients fetch the next one by themselves. */
export const accessLifetime = 300
/** How long a client's stored login holds, in seconds; then it logs in anew. */
const refreshLifetime = 90 * 24 * 3_600
/** How long somebody stays logged in on the pages, in seconds. */
export const sessionLifetime = 7 * 24 * 3_600

/** How long the command line elsewhere stays logged in, in seconds. */
export const commandsLifetime = 30 * 24 * 3_600

const lifetimes = {
  access: accessLifetime,
  refresh: refreshLifetime,
  session: sessionLifetime,
  commands: commandsLifetime,
} as const
export type TokenKind = keyof typeof lifetimes

const issuer = 'berth'
/** One is never taken for the other. */
const audiences = {
  access: 'berth',
  refresh: 'berth-login',
  session: 'berth-pages',
  commands: 'berth-commands',
} as const

export interface Claims {
  readonly user: string | undefined
  readonly credential: Credential | undefined
  readonly scopes: readonly Scope[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** The tokens that clients carry (JWT, RFC 7519): made, read, and those that were read lately known without reading again. */
export class Tokens {
  readonly #keys: Keys
  readonly #now: () => number
  readonly #read = new LRUCache<string, Claims>({ max: 5_000 })

  private constructor(keys: Keys, now: () => number) {
    this.#keys = keys
    this.#now = now
  }

  /** The keys are in this folder. Rejects when they cannot be read or written. */
  static async open(folder: string, now: () => number): Promise<Tokens> {
    return new Tokens(await Keys.open(folder, refreshLifetime * 1_000, now), now)
  }

  async make(kind: TokenKind, claims: Omit<Claims, 'expiresAt'>): Promise<string> {
    const { user, credential, scopes } = claims
    const key = await this.#keys.current()
    const seconds = Math.floor(this.#now() / 1_000)
    const payload: JWTPayload = {
      ...(credential && { by: `${credential.kind}:${credential.id}` }),
      ...(kind === 'access' && { access: scopes }),
    }
    const { SignJWT } = await jose()
    const jwt = new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.id })
      .setIssuer(issuer)
      .setAudience(audiences[kind])
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimes[kind])
    if (user !== undefined) jwt.setSubject(user)
    return jwt.sign(key.secret)
  }

  /** What a token says; undefined for one that is not ours, was changed, or has expired. */
  read(token: string): Soon<Claims | undefined> {
    const known = this.#read.get(token)
    if (!known) return this.verify('access', token).then((claims) => claims && this.#remember(token, claims))
    return this.#now() < known.expiresAt ? known : undefined
  }

  async verify(kind: TokenKind, token: string): Promise<Claims | undefined> {
    try {
      const { jwtVerify } = await jose()
      const { payload } = await jwtVerify(token, ({ kid }) => this.#secret(kid), {
        algorithms: ['HS256'],
        issuer,
        audience: audiences[kind],
        currentDate: new Date(this.#now()),
      })
      return claimsOf(payload)
    } catch {
      return undefined
    }
  }

  #remember(token: string, claims: Claims): Claims {
    this.#read.set(token, claims)
    return claims
  }

  #secret(id: string | undefined): Uint8Array {
    const key = this.#keys.find(id)
    if (!key) throw new Error('signed by no key of ours')
    return key.secret
  }
}

function claimsOf({ sub, exp = 0, by, access }: JWTPayload & { by?: string; access?: Scope[] }): Claims {
  const [kind, id] = by?.split(':') ?? []
  const credential = kind === undefined || id === undefined ? undefined : { kind: kind as Credential['kind'], id }
  return { user: sub, credential, scopes: access ?? [], expiresAt: exp * 1_000 }
}

import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { RegistryError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import type { Soon } from '../oci/registry.ts'
import type { TokenRecord } from '../metadata/metadata.ts'
import type { Attempts } from './attempts.ts'
import { readBasic, type BasicCredentials } from './basic.ts'
import type { ReportAccessEvent } from './events.ts'
import { anonymous, type Credential, type Identity } from './identity.ts'
import type { Passwords } from './passwords.ts'
import { hashOf, looksLikeToken } from './robot-tokens.ts'
import { adminScope, parseLimit } from './scope.ts'
import type { Claims, Tokens } from './tokens.ts'
import type { Directory, User } from './users.ts'
import { workloadUser, type Workloads } from './workloads.ts'

export interface CredentialsOptions {
  directory: Directory
  tokens: Tokens
  workloads: Workloads
  passwords: Passwords
  /** Of passwords. */
  attempts: Attempts
  /** Of those who are answered as nobody when they are wrong: they are no sign of somebody guessing. */
  mirrorAttempts: Attempts
  /** Whether a login at a provider is still this user's. */
  holdsElsewhere: (user: string, id: string) => boolean
  report: ReportAccessEvent
  now: () => number
}

/** Who it is, and until when what it showed says so, in milliseconds since 1970. */
type Found = Identity & { readonly expiresAt?: number }

/** How somebody asks to be known. */
interface Asked {
  readonly user: string
  /** What the login is kept by. */
  readonly key: string
  readonly kind: 'login' | 'mirror'
  readonly address: string
}

/** A login that was right, and when it was last seen to hold. */
interface Known {
  readonly identity: Identity
  /** Milliseconds since 1970, where it ends by itself. */
  readonly expiresAt?: number
  generation: number
}

/** Finds out who somebody is by what they show. What was right lately is known at once, until the account changes. */
export class Credentials {
  readonly #options: CredentialsOptions
  /** By a keyed hash, so that no password is kept. */
  readonly #known = new LRUCache<string, Known>({ max: 5_000 })
  readonly #bearers = new WeakMap<Claims, Known>()
  readonly #flights = new Flights()
  readonly #salt = randomBytes(32)

  constructor(options: CredentialsOptions) {
    this.#options = options
  }

  /** By an Authorization header. Throws TOOMANYREQUESTS for one who has been wrong too often. */
  identify(authorization: string, address: string): Soon<Identity> {
    const bearer = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1]
    if (bearer !== undefined) return this.#byBearer(bearer)
    const given = readBasic(authorization)
    return given ? this.login(given, address) : anonymous
  }

  /** By a name and a password, or a robot's token in the password's place. Throws TOOMANYREQUESTS. */
  login(given: BasicCredentials, address: string): Soon<Identity> {
    return this.#once(given, 'login', address)
  }

  /** The same for a person: looked at anew, and told, each time. */
  loginAnew(given: BasicCredentials, address: string): Soon<Identity> {
    this.#known.delete(this.#keyOf(given))
    return this.login(given, address)
  }

  /** The same for a client that may have sent a login for somewhere else: what is wrong is nobody, and no attempt to log in. */
  mirrorLogin(given: BasicCredentials, address: string): Soon<Identity> {
    return this.#once(given, 'mirror', address)
  }

  /** What was right before is right at once; the same question asked several times at once is answered once. */
  #once(given: BasicCredentials, kind: 'login' | 'mirror', address: string): Soon<Identity> {
    const user = given.username.normalize('NFC')
    const key = this.#keyOf(given)
    const known = this.#known.get(key)
    if (known && this.#stillHolds(known)) return known.identity
    this.#known.delete(key)
    return this.#flights.share(`${kind} ${key}`, () => this.#check(given, { user, key, kind, address }))
  }

  async #check({ password }: BasicCredentials, { user, key, kind, address }: Asked): Promise<Identity> {
    const { directory, workloads } = this.#options
    const { generation } = directory
    const check = (): Soon<Found> => {
      if (workloads.takes(user, password)) return this.#asWorkload(password, kind, address)
      return kind === 'login' ? this.#asLogin(user, password, address) : this.#asMirror(user, password, address)
    }
    const found: Found = await (this.#byToken(password, address) ?? check())
    const { expiresAt = Infinity, ...identity } = found
    if (identity.user !== undefined) this.#known.set(key, { identity, expiresAt, generation })
    return identity
  }

  /** By the login that a client has stored; what is wrong with it, or no more right, is `wrong`. */
  async byStoredLogin(refreshToken: string, address: string): Promise<Identity> {
    const claims = await this.#options.tokens.verify('refresh', refreshToken)
    const identity = claims && this.#identityOf(claims)
    if (identity?.user === undefined) return this.#refused('stored login', address, 'token')
    this.#options.report({ type: 'login-succeeded', user: identity.user, by: 'stored login', address })
    const { granted: _, ...login } = identity
    return login
  }

  /** Who logged in on the pages, or for commands; nobody once that is over, or the password has changed since. */
  async bySession(kind: 'session' | 'commands', session: string): Promise<Identity> {
    const claims = await this.#options.tokens.verify(kind, session)
    const identity = claims && this.#identityOf(claims)
    if (!identity) return anonymous
    const { granted: _, ...login } = identity
    return login
  }

  #keyOf({ username, password }: BasicCredentials): string {
    return createHmac('sha256', this.#salt)
      .update(`${username.normalize('NFC')}\0${password}`)
      .digest('base64')
  }

  #byBearer(token: string): Soon<Identity> {
    if (looksLikeToken(token)) return this.#byRobotToken(token) ?? { user: undefined, wrong: 'token' }
    const claims = this.#options.tokens.read(token)
    return claims instanceof Promise ? claims.then((read) => this.#byClaims(read)) : this.#byClaims(claims)
  }

  #byClaims(claims: Claims | undefined): Identity {
    if (!claims) return { user: undefined, wrong: 'token' }
    const known = this.#bearers.get(claims)
    if (known && this.#stillHolds(known)) return known.identity
    const identity = this.#identityOf(claims)
    if (!identity) return { user: undefined, wrong: 'token' }
    this.#bearers.set(claims, { identity, generation: this.#options.directory.generation })
    return identity
  }

  /** Undefined when what the token was issued for holds no more. */
  #identityOf({ user, credential, scopes }: Claims): Identity | undefined {
    if (user === undefined || !credential) return { user: undefined, granted: scopes }
    if (!this.#holds(user, credential)) return undefined
    if (credential.kind === 'password' || credential.kind === 'oidc') return { user, credential, granted: scopes }
    if (credential.kind === 'workload') return { ...this.#options.workloads.identity(credential.id)!, granted: scopes }
    return { ...robot(this.#options.directory.token(credential.id)!), granted: scopes }
  }

  #byToken(password: string, address: string): Identity | undefined {
    const identity = looksLikeToken(password) ? this.#byRobotToken(password) : undefined
    if (identity) this.#options.report({ type: 'login-succeeded', user: identity.user!, by: 'token', address })
    return identity
  }

  /** An ID token cannot be guessed: wrong ones make nobody wait. */
  async #asWorkload(token: string, kind: 'login' | 'mirror', address: string): Promise<Found> {
    const workload = await this.#options.workloads.verify(token)
    const subject = workload && { subject: workload.subject }
    if (workload && 'identity' in workload && this.#options.directory.isAccount(workload.identity.user)) {
      const { identity, expiresAt } = workload
      this.#options.report({ type: 'login-succeeded', user: identity.user, by: 'workload', address, ...subject })
      return { ...identity, expiresAt }
    }
    if (kind === 'mirror') return anonymous
    this.#options.report({ type: 'login-refused', user: workloadUser, why: 'wrong', address, ...subject })
    return { user: undefined, wrong: 'token' }
  }

  async #asMirror(user: string, password: string, address: string): Promise<Identity> {
    const account = user.slice(0, 100)
    if (this.#options.mirrorAttempts.wait(account, address) > 0) return anonymous
    this.#options.mirrorAttempts.begin(account, address)
    const found = this.#options.directory.user(user)
    if (!(await this.#compare(password, found)) || !found) return anonymous
    this.#options.mirrorAttempts.right(account, address)
    return { user, credential: { kind: 'password', id: found.credential } }
  }

  async #asLogin(user: string, password: string, address: string): Promise<Identity> {
    const account = user.slice(0, 100)
    const wait = this.#options.attempts.wait(account, address)
    if (wait > 0) {
      this.#options.report({ type: 'login-refused', user: account, why: 'too many attempts', address })
      throw tooMany(wait)
    }
    this.#options.attempts.begin(account, address)
    const found = this.#options.directory.user(user)
    const right = await this.#compare(password, found).catch((error: unknown) => {
      this.#options.attempts.forgive(account, address)
      throw error
    })
    if (!right || !found) return this.#refused(account, address, 'password')
    this.#options.attempts.right(account, address)
    this.#options.report({ type: 'login-succeeded', user, by: 'password', address })
    return { user, credential: { kind: 'password', id: found.credential } }
  }

  #compare(password: string, user: User | undefined): Promise<boolean> {
    const { passwords, directory } = this.#options
    if (user?.password !== undefined) return passwords.verify(password, user.password)
    return passwords.pretend(password, directory.usualPassword)
  }

  #byRobotToken(token: string): Identity | undefined {
    const record = this.#options.directory.tokenByHash(hashOf(token))
    return record && this.#holds(record.owner, { kind: 'token', id: record.id }) ? robot(record) : undefined
  }

  #refused(user: string, address: string, wrong: 'password' | 'token'): Identity {
    this.#options.report({ type: 'login-refused', user, why: 'wrong', address })
    return { user: undefined, wrong }
  }

  #stillHolds(known: Known): boolean {
    const { directory } = this.#options
    const { user, credential } = known.identity
    if (user === undefined || !credential) return true
    if (known.expiresAt !== undefined && this.#options.now() >= known.expiresAt) return false
    if (known.generation === directory.generation && credential.kind === 'password') return true
    if (!this.#holds(user, credential)) return false
    known.generation = directory.generation
    return true
  }

  #holds(user: string, { kind, id }: Credential): boolean {
    const { directory, workloads, holdsElsewhere, now } = this.#options
    if (kind === 'oidc') return holdsElsewhere(user, id)
    if (kind === 'workload') return workloads.identity(id)?.user === user && directory.isAccount(user)
    if (kind === 'password') return directory.user(user)?.credential === id
    const token = directory.token(id)
    return token?.owner === user && now() < (token.expiresAt ?? Infinity) && directory.isAccount(user)
  }
}

function robot({ id, owner, scopes }: TokenRecord): Identity {
  const known: Identity = { user: owner, credential: { kind: 'token', id } }
  if (scopes.includes(adminScope)) return known
  return { ...known, limits: scopes.flatMap((scope) => parseLimit(scope) ?? []) }
}

function tooMany(wait: number): RegistryError {
  const seconds = Math.ceil(wait / 1_000)
  return new RegistryError('TOOMANYREQUESTS', `too many wrong passwords: the next is looked at in ${seconds} s`, {
    headers: { 'Retry-After': String(seconds) },
  })
}

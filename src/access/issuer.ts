import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { BasicCredentials } from './basic.ts'
import type { Credentials } from './credentials.ts'
import type { Guard } from './guard.ts'
import { anonymous, type Identity } from './identity.ts'
import type { Scope } from './scope.ts'
import { accessLifetime, type Tokens } from './tokens.ts'

export interface TokenRequest {
  /** By a name and password, by what an earlier answer gave, or neither. */
  readonly login?: BasicCredentials | { readonly refreshToken: string } | undefined
  readonly scopes: readonly Scope[]
  /** Whether the client wants a token with which it can come again instead of keeping the password. */
  readonly offline: boolean
  readonly address: string | undefined
}

export interface IssuedToken {
  readonly token: string
  readonly refreshToken: string | undefined
  /** What was asked for and is allowed. */
  readonly scopes: readonly Scope[]
  /** Seconds. */
  readonly expiresIn: number
  /** Milliseconds since 1970. */
  readonly issuedAt: number
}

export interface IssuerOptions {
  credentials: Credentials
  guard: Guard
  tokens: Tokens
  isHosted: (name: RepositoryName) => boolean
  now: () => number
}

type NameOf = (path: string) => RepositoryName | undefined

const repositoryActions = ['pull', 'push', 'delete'] as const

/** The token server: gives tokens that are good for a while and for what was asked alone. */
export class Issuer {
  readonly #options: IssuerOptions

  constructor(options: IssuerOptions) {
    this.#options = options
  }

  /** Throws UNAUTHORIZED when the login is wrong, TOOMANYREQUESTS when it has been too often. */
  async issue(request: TokenRequest, nameOf: NameOf): Promise<IssuedToken> {
    const { tokens, now } = this.#options
    const identity = await this.#identify(request, nameOf)
    const { user, credential } = identity
    const scopes = await this.#narrowed(identity, request.scopes, nameOf)
    // Who comes with a robot's token keeps that; only passwords are better not kept.
    const storable = request.offline && credential?.kind === 'password' && !isRefresh(request)
    return {
      token: await tokens.make('access', { user, credential, scopes }),
      refreshToken: storable ? await tokens.make('refresh', { user, credential, scopes: [] }) : undefined,
      scopes,
      expiresIn: accessLifetime,
      issuedAt: now(),
    }
  }

  async #identify(request: TokenRequest, nameOf: NameOf): Promise<Identity> {
    const { login, address = '' } = request
    if (!login) return anonymous
    const { credentials } = this.#options
    const isMirrorPull = await this.#isMirrorPull(request, nameOf)
    if ('refreshToken' in login) {
      const identity = await credentials.byStoredLogin(login.refreshToken, address)
      if (!identity.wrong) return identity
      if (isMirrorPull) return anonymous
      throw new RegistryError('UNAUTHORIZED', 'the stored login is over: log in again')
    }
    if (isMirrorPull) return credentials.mirrorLogin(login, address)
    const identity = await credentials.login(login, address)
    if (identity.wrong === 'token') {
      throw new RegistryError(
        'UNAUTHORIZED',
        'the ID token is wrong or expired, or no rule of access.workloads fits it',
      )
    }
    if (identity.wrong) throw new RegistryError('UNAUTHORIZED', 'the user name or password is wrong')
    return identity
  }

  /**
   * A dockerd whose mirror this is gives the mirror's token server its Docker Hub login, wrong here as it must be
   * (moby, NewStaticCredentialStore). It pulls what everybody may; a client that logs in asks for no such scope.
   */
  async #isMirrorPull({ scopes, offline }: TokenRequest, nameOf: NameOf): Promise<boolean> {
    if (offline || scopes.length === 0) return false
    const ofUpstreams = scopes.every(({ type, name, actions }) => {
      const meant = type === 'repository' ? nameOf(name) : undefined
      return meant !== undefined && !this.#options.isHosted(meant) && actions.every((action) => action === 'pull')
    })
    return ofUpstreams && (await this.#narrowed(anonymous, scopes, nameOf)).length === scopes.length
  }

  async #narrowed(identity: Identity, asked: readonly Scope[], nameOf: NameOf): Promise<Scope[]> {
    const narrowed: Scope[] = []
    for (const { type, name, actions } of asked) {
      const allowed = type === 'repository' ? await this.#allowedIn(identity, name, actions, nameOf) : []
      if (type === 'registry' && name === 'catalog' && actions.includes('*')) allowed.push('*')
      if (allowed.length > 0) narrowed.push({ type, name, actions: allowed })
    }
    return narrowed
  }

  async #allowedIn(identity: Identity, path: string, actions: readonly string[], nameOf: NameOf): Promise<string[]> {
    const name = nameOf(path)
    if (name === undefined) return []
    const allowed: string[] = []
    for (const action of repositoryActions) {
      if (!actions.includes(action) && !actions.includes('*')) continue
      if (await this.#options.guard.allows(identity, action, { name, path })) allowed.push(action)
    }
    return allowed
  }
}

function isRefresh({ login }: TokenRequest): boolean {
  return login !== undefined && 'refreshToken' in login
}

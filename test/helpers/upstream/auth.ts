import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Content } from '../content.ts'
import { errorAnswer, type Answer } from './answer.ts'
import { formatChallenge, type ChallengeForm } from './challenge.ts'
import type { Quirks } from './quirks.ts'

export type AuthOptions = BasicOptions | BearerOptions

export interface BasicOptions {
  kind: 'basic'
  /** User -> password. */
  users: Record<string, string>
  form?: ChallengeForm
}

export interface BearerOptions {
  kind: 'bearer'
  users?: Record<string, string>
  /** Tokens are given without a login too; true if not given. */
  anonymous?: boolean
  /** Repositories that only users may read. */
  private?: readonly string[]
  /** Seconds; 300 if not given. */
  ttl?: number
  /** Seconds from its issue until a token is good. */
  notBefore?: number
  /** A token is good for one request. */
  oneUse?: boolean
  tokenField?: 'token' | 'access_token' | 'both'
  omitExpiresIn?: boolean
  /** Whether the token server is the registry or on another port. */
  realmHost?: 'same' | 'other'
  noScopeInChallenge?: boolean
  noService?: boolean
  /** The scope of every challenge, which is good for all repositories (ECR Public's `aws`). */
  scope?: string
  /** Refresh tokens that are exchanged by POST, and whose they are. */
  refreshTokens?: Record<string, string>
  /** A token that is good for everything until it is taken away. */
  fixedToken?: string
  /** Private repositories have their tokens from another server, which gives none without a login. */
  privateRealm?: boolean
  form?: ChallengeForm
}

interface Token {
  repositories: Set<string> | 'all'
  from: number
  expires: number
}

/** The context that changes while an upstream runs. */
export interface AuthContext {
  options: AuthOptions
  quirks: Quirks
  content: Content
  now: number
  /** Where the token server is. */
  realm: string
  /** Where that of private repositories is. */
  privateRealm: string
}

/** The tokens that were issued, and who gets in. */
export class Auth {
  readonly #tokens = new Map<string, Token>()

  expireTokens(): void {
    this.#tokens.clear()
  }

  /** The 401 for a request that may not pass; undefined when it may. */
  refuse(request: IncomingMessage, repository: string | undefined, context: AuthContext): Answer | undefined {
    const { options } = context
    if (options.kind === 'basic') {
      const user = userOf(request, options.users)
      return typeof user === 'string' ? undefined : challenge(context, repository, undefined)
    }
    const [, value] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (value === undefined) return challenge(context, repository, undefined)
    if (value === options.fixedToken) return undefined
    const token = this.#tokens.get(value)
    if (!token || token.expires <= context.now || token.from > context.now) {
      return challenge(context, repository, 'invalid_token')
    }
    if (repository !== undefined && token.repositories !== 'all' && !token.repositories.has(repository)) {
      return challenge(context, repository, 'insufficient_scope')
    }
    if (options.oneUse) this.#tokens.delete(value)
    return undefined
  }

  /** Keeps a token and returns it. */
  issue(token: Token): string {
    const value = randomBytes(32).toString('base64url')
    this.#tokens.set(value, token)
    return value
  }
}

/** The user's name; undefined without a login, false with a wrong one. */
export function userOf(request: IncomingMessage, users: Record<string, string>): string | undefined | false {
  const [, encoded] = /^Basic (.*)$/i.exec(request.headers.authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const login = Buffer.from(encoded, 'base64').toString()
  const at = login.indexOf(':')
  return checkLogin(login.slice(0, at), login.slice(at + 1), users)
}

export function checkLogin(user: string, password: string, users: Record<string, string>): string | false {
  return Object.hasOwn(users, user) && users[user] === password ? user : false
}

function challenge(context: AuthContext, repository: string | undefined, error: string | undefined): Answer {
  const { options } = context
  const isElsewhere = options.kind === 'bearer' && options.privateRealm && options.private?.includes(repository ?? '')
  const realm = isElsewhere ? context.privateRealm : context.realm
  const code = error === 'insufficient_scope' ? 'DENIED' : 'UNAUTHORIZED'
  const params = options.kind === 'basic' ? { realm: 'upstream' } : bearerParams(options, realm, repository, error)
  const scheme = options.kind === 'basic' ? 'Basic' : 'Bearer'
  const header = formatChallenge(scheme, params, options.form)
  return errorAnswer(401, code, 'authentication required', { 'www-authenticate': header })
}

function bearerParams(options: BearerOptions, realm: string, repository?: string, error?: string) {
  const scope = options.scope ?? `repository:${repository}:pull`
  return {
    realm,
    ...(!options.noService && { service: 'upstream.test' }),
    ...(!options.noScopeInChallenge && repository !== undefined && { scope }),
    ...(error !== undefined && { error }),
  }
}

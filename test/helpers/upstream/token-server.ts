import type { IncomingMessage } from 'node:http'
import { errorAnswer, jsonAnswer, type Answer } from './answer.ts'
import { checkLogin, userOf, type Auth, type AuthContext, type BearerOptions } from './auth.ts'

/** Answers a request for a token: GET with Basic or anonymous, POST in the form of OAuth 2. */
export async function issueToken(request: IncomingMessage, auth: Auth, context: AuthContext): Promise<Answer> {
  const { options, now } = context
  if (options.kind !== 'bearer') return errorAnswer(404, 'NOT_FOUND', 'no token server here')
  const asked = await readAsked(request)
  const user = userAsking(request, asked, options)
  const isPrivateOnly = options.privateRealm && request.headers.host === new URL(context.privateRealm).host
  if (user === false || (user === undefined && (options.anonymous === false || isPrivateOnly))) {
    return errorAnswer(401, 'UNAUTHORIZED', 'incorrect username or password')
  }
  const wanted = repositoriesIn(asked.getAll('scope'))
  const repositories = wanted.filter((name) => mayRead(name, user, options, context))
  if (context.quirks.token403 && repositories.length < wanted.length) {
    return errorAnswer(403, 'DENIED', 'requested access to the resource is denied')
  }
  const from = now + (options.notBefore ?? 0) * 1000
  const ttl = options.ttl ?? 300
  const opens = options.scope !== undefined && asked.has('scope', options.scope) ? 'all' : new Set(repositories)
  const token = auth.issue({ repositories: opens, from, expires: now + ttl * 1000 })
  return jsonAnswer(200, tokenJson(token, ttl, from, options))
}

function userAsking(
  request: IncomingMessage,
  asked: URLSearchParams,
  { users = {}, refreshTokens = {} }: BearerOptions,
): string | undefined | false {
  const password = asked.get('password')
  const refresh = asked.get('refresh_token')
  if (refresh !== null) return refreshTokens[refresh] ?? false
  return password === null ? userOf(request, users) : checkLogin(asked.get('username') ?? '', password, users)
}

function tokenJson(token: string, ttl: number, from: number, options: BearerOptions) {
  const { tokenField = 'token', omitExpiresIn } = options
  return {
    ...(tokenField !== 'access_token' && { token }),
    ...(tokenField !== 'token' && { access_token: token }),
    ...(!omitExpiresIn && { expires_in: ttl, issued_at: new Date(from).toISOString() }),
  }
}

async function readAsked(request: IncomingMessage): Promise<URLSearchParams> {
  if (request.method !== 'POST') return new URL(`http://token${request.url ?? '/'}`).searchParams
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

// Several `scope=` parameters, or several scopes in one, separated by blanks.
function repositoriesIn(scopes: string[]): string[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => {
      const [, name, actions] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? []
      return name !== undefined && actions?.split(',').some((a) => a === 'pull' || a === '*') ? [name] : []
    })
}

// What does not exist: Docker Hub gives no access to it, others do and answer 404 to the request itself.
function mayRead(name: string, user: string | undefined, options: BearerOptions, context: AuthContext): boolean {
  const { quirks, content } = context
  if (options.private?.includes(name) && user === undefined) return false
  return content.repositories.has(name) || !(quirks.missing401 || quirks.token403)
}

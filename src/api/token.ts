import { formatScopes, parseScopes, readBasic, workloadUser, type Access, type TokenRequest } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Call } from './call.ts'
import { readBody } from './read-body.ts'
import { wrongMethod } from './uploads.ts'

/** Bytes; the longest of its fields are the tokens of identity providers. */
const largestForm = 64 * 1024

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

type NameOf = (path: string) => RepositoryName | undefined

/**
 * The token server: GET with Basic credentials or none, and POST with a form (OAuth 2).
 * https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/
 */
export async function token(call: Call, access: Access, nameOf: NameOf): Promise<Response> {
  const request = call.method === 'POST' ? await byForm(call) : byQuery(call)
  const issued = await access.issue(request, nameOf)
  const answer = {
    // Clients read one or the other.
    token: issued.token,
    access_token: issued.token,
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: formatScopes(issued.scopes),
    expires_in: issued.expiresIn,
    issued_at: new Date(issued.issuedAt).toISOString(),
    ...(issued.refreshToken !== undefined && { refresh_token: issued.refreshToken }),
  }
  return call.replyJson({ 'Cache-Control': 'no-store' }, answer)
}

function byQuery(call: Call): TokenRequest {
  if (call.method !== 'GET' && !call.head) throw wrongMethod(call, 'GET, HEAD, POST')
  const { query } = call
  return {
    login: readBasic(call.incoming.headers.authorization),
    scopes: parseScopes(query.getAll('scope').join(' ')),
    offline: query.get('offline_token') === 'true',
    address: call.address,
  }
}

async function byForm(call: Call): Promise<TokenRequest> {
  const bytes = await readBody(call.incoming, 'a form', largestForm)
  const form = new URLSearchParams(Buffer.from(bytes).toString('utf8'))
  return {
    login: loginOf(form),
    scopes: parseScopes(form.getAll('scope').join(' ')),
    offline: form.get('access_type') === 'offline',
    address: call.address,
  }
}

function loginOf(form: URLSearchParams): NonNullable<TokenRequest['login']> {
  const field = (name: string) => form.get(name) ?? ''
  const grant = field('grant_type')
  if (grant === 'password') return { username: field('username'), password: field('password') }
  // RFC 8693, for the ID token of a CI job.
  if (grant === tokenExchange) return { username: workloadUser, password: field('subject_token') }
  if (grant === 'refresh_token') return { refreshToken: field('refresh_token') }
  throw new RegistryError('UNSUPPORTED', 'grant_type must be password, refresh_token or token-exchange', {
    status: 400,
  })
}

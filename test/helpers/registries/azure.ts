import { startService, type Answered, type Asked, type Service } from './service.ts'

const unauthorized = (realm: string): Answered => ({
  status: 401,
  headers: { 'www-authenticate': `Bearer realm="${realm}/oauth2/token",service="up.azurecr.test"` },
  json: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] },
})

/**
 * An Azure Container Registry with one empty list of tags. An Entra token is exchanged for a refresh token, that for an
 * access token of one scope; a GET at the token server is refused to those without a login.
 */
export async function startAcr(entraToken: string): Promise<Service> {
  let url = ''
  const answer = ({ method, url: path, headers, form }: Asked): Answered => {
    if (method === 'POST' && path === '/oauth2/exchange') {
      const good = form.get('grant_type') === 'access_token' && form.get('access_token') === entraToken
      return good ? { status: 200, json: { refresh_token: 'refresh.of.acr' } } : { status: 401 }
    }
    if (path.startsWith('/oauth2/token')) {
      const good = method === 'POST' && form.get('grant_type') === 'refresh_token'
      if (!good || form.get('refresh_token') !== 'refresh.of.acr') return { status: 401 }
      return { status: 200, json: { access_token: `access to ${form.get('scope')}`.replaceAll(' ', '-') } }
    }
    if (headers.authorization !== 'Bearer access-to-repository:org/app:pull') return unauthorized(url)
    return { status: 200, json: { name: 'org/app', tags: ['1'] } }
  }
  const service = await startService(answer)
  url = service.url
  return service
}

/** Entra: a client secret is good for a token. */
export function startEntra(secret: string, token: string): Promise<Service> {
  return startService(({ url, form }) =>
    url === '/tenant-1/oauth2/v2.0/token' &&
    form.get('client_secret') === secret &&
    form.get('grant_type') === 'client_credentials'
      ? { status: 200, json: { access_token: token, expires_in: 3599 } }
      : { status: 401, json: { error: 'invalid_client' } },
  )
}

/** The endpoint of a managed identity, as App Service has it. */
export function startIdentity(header: string, token: string): Promise<Service> {
  return startService(({ url, headers }) =>
    headers['x-identity-header'] === header && url.includes('resource=')
      ? { status: 200, json: { access_token: token } }
      : { status: 400 },
  )
}

import { readFile } from 'node:fs/promises'
import { requestJson, secondsIn, textIn } from './http.ts'
import type { Login, LoginContext } from './login.ts'
import type { Lent } from './renewed.ts'

/** A registry's refresh token says in itself when it ends; three hours is what it is given. */
const usualLife = 3 * 3600

/**
 * The login of an Azure Container Registry: an Entra access token is exchanged for the registry's own refresh token,
 * which its token server then takes (https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md). The access token is got
 * with a client secret, a federated token (workload identity), or the machine's managed identity.
 */
export function azureLogin(login: Login, { url, now }: LoginContext): () => Promise<Lent> {
  return async () => {
    const tenant = login.tenant ?? process.env.AZURE_TENANT_ID
    const accessToken = await entraToken(login, tenant)
    const form = {
      grant_type: 'access_token',
      service: url.host,
      ...(tenant && { tenant }),
      access_token: accessToken,
    }
    const answer = await requestJson(new URL('/oauth2/exchange', url), { method: 'POST', form })
    const token = textIn(answer, 'refresh_token', url.host)
    return { credentials: { kind: 'identity', token }, until: endOf(token) ?? now() + usualLife * 1000 }
  }
}

async function entraToken(login: Login, tenant: string | undefined): Promise<string> {
  const clientId = login.clientId ?? process.env.AZURE_CLIENT_ID
  const secret = login.clientSecret ?? process.env.AZURE_CLIENT_SECRET
  const federated = process.env.AZURE_FEDERATED_TOKEN_FILE
  if (!tenant || !clientId || !(secret ?? federated)) return managedIdentity(clientId)
  const authority = process.env.AZURE_AUTHORITY_HOST || 'https://login.microsoftonline.com'
  const proof = secret
    ? { client_secret: secret }
    : {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: (await readFile(federated!, 'utf8')).trim(),
      }
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: 'https://containerregistry.azure.net/.default',
    ...proof,
  }
  const target = new URL(`${tenant}/oauth2/v2.0/token`, authority.endsWith('/') ? authority : `${authority}/`)
  return textIn(await requestJson(target, { method: 'POST', form }), 'access_token', 'Entra')
}

/**
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token; App Service and
 * Container Apps name their own endpoint in IDENTITY_ENDPOINT.
 */
async function managedIdentity(clientId: string | undefined): Promise<string> {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = process.env
  const url = new URL(endpoint ?? 'http://169.254.169.254/metadata/identity/oauth2/token')
  url.searchParams.set('api-version', endpoint ? '2019-08-01' : '2018-02-01')
  url.searchParams.set('resource', 'https://containerregistry.azure.net/')
  if (clientId) url.searchParams.set('client_id', clientId)
  const headers = endpoint && header ? { 'x-identity-header': header } : { metadata: 'true' }
  return textIn(await requestJson(url, { headers: headers }), 'access_token', 'the managed identity')
}

/** The end that a JWT names, in milliseconds since 1970. */
function endOf(token: string): number | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
    return secondsIn(claims, 'exp', 0) * 1000 || undefined
  } catch {
    return undefined
  }
}

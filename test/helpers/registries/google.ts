import { createVerify, generateKeyPairSync } from 'node:crypto'
import { startService, type Service } from './service.ts'

/** Google's token server: takes a JWT that a service account has signed (RFC 7523). `key` is the account's key file. */
export async function startGoogleTokens(token: string): Promise<{ service: Service; key: string }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const service = await startService(({ url, form }) => {
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const signed = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')
    const said = signed ? (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iss?: string }) : {}
    const good =
      url === '/token' &&
      said.iss === 'berth@test.iam.gserviceaccount.com' &&
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    return good
      ? { status: 200, json: { access_token: token, expires_in: 3599, token_type: 'Bearer' } }
      : { status: 400, json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }
  })
  const key = JSON.stringify({
    type: 'service_account',
    client_email: 'berth@test.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${service.url}/token`,
  })
  return { service, key }
}

/** The metadata server of a Google machine. */
export function startGoogleMetadata(token: string): Promise<Service> {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token'
  return startService(({ url, headers }) =>
    url === path && headers['metadata-flavor'] === 'Google'
      ? { status: 200, json: { access_token: token, expires_in: 3000, token_type: 'Bearer' } }
      : { status: 403 },
  )
}

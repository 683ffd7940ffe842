import { createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { requestJson, secondsIn, textIn } from './http.ts'
import type { Login, LoginContext } from './login.ts'
import type { Lent } from './renewed.ts'

const scope = 'https://www.googleapis.com/auth/cloud-platform.read-only'

/**
 * The login of Google Artifact Registry and gcr.io: an access token, as user `oauth2accesstoken`. By a service account's
 * key, the file of GOOGLE_APPLICATION_CREDENTIALS if none is named, or from the metadata server of the machine.
 */
export function googleLogin({ keyFile }: Login, { now }: LoginContext): () => Promise<Lent> {
  return async () => {
    const file = keyFile ?? process.env.GOOGLE_APPLICATION_CREDENTIALS
    const answer = file ? await byKey(file, now()) : await byMetadata()
    const password = textIn(answer, 'access_token', 'Google')
    return {
      credentials: { kind: 'password', username: 'oauth2accesstoken', password },
      until: now() + secondsIn(answer, 'expires_in', 3600) * 1000,
    }
  }
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
async function byKey(file: string, now: number) {
  const key = JSON.parse(await readFile(file, 'utf8')) as {
    client_email: string
    private_key: string
    token_uri?: string
  }
  const audience = key.token_uri ?? 'https://oauth2.googleapis.com/token'
  const issued = Math.floor(now / 1000)
  const claims = { iss: key.client_email, scope, aud: audience, iat: issued, exp: issued + 3600 }
  const unsigned = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`
  const signature = createSign('RSA-SHA256').update(unsigned).sign(key.private_key, 'base64url')
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${unsigned}.${signature}` }
  return requestJson(audience, { method: 'POST', form })
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** https://cloud.google.com/compute/docs/metadata/querying-metadata; GCE_METADATA_HOST is what Google's own libraries heed. */
function byMetadata() {
  const host = process.env.GCE_METADATA_HOST || 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  return requestJson(url, { headers: { 'metadata-flavor': 'Google' } })
}

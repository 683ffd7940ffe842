import type { Login, LoginContext } from './login.ts'
import type { Lent } from './renewed.ts'

/** `123456789012.dkr.ecr.eu-central-1.amazonaws.com`, with its FIPS and Chinese forms. */
const ecrHost = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/

/**
 * The login of a private Amazon ECR: a password for 12 hours from GetAuthorizationToken, with the SDK's default chain of
 * AWS credentials (environment, profiles, web identity, container and instance roles).
 */
export function ecrLogin({ region }: Login, { url, now }: LoginContext): () => Promise<Lent> {
  const [, , named] = ecrHost.exec(url.hostname) ?? []
  const place = region ?? named
  return async () => {
    // Loaded where it is used: the SDK costs a start a quarter of a second.
    const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
    const client = new ECRClient(place === undefined ? {} : { region: place })
    try {
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
      const { authorizationToken, expiresAt } = authorizationData?.[0] ?? {}
      if (!authorizationToken) throw new Error('GetAuthorizationToken gave no token')
      const text = Buffer.from(authorizationToken, 'base64').toString('utf8')
      const colon = text.indexOf(':')
      return {
        credentials: { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) },
        until: expiresAt?.getTime() ?? now() + 12 * 3_600_000,
      }
    } finally {
      client.destroy()
    }
  }
}

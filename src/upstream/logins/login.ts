// How an account gets its credentials: kept by the operator, by Docker, by a helper, or given out by a cloud.
import { readFile } from 'node:fs/promises'
import { UpstreamError } from '../../oci/errors.ts'
import type { Credentials, CredentialSource } from '../credentials.ts'
import { azureLogin } from './azure.ts'
import { dockerConfigLogin } from './docker-config.ts'
import { ecrLogin } from './ecr.ts'
import { googleLogin } from './google.ts'
import { helperLogin } from './credential-helper.ts'
import { Renewed } from './renewed.ts'

/** One way to log in; checked in the configuration. */
export interface Login {
  readonly username?: string
  readonly password?: string
  /** Read at each use, so that it can be changed while Berth runs. */
  readonly passwordFile?: string
  readonly identityToken?: string
  readonly bearerToken?: string
  readonly dockerConfig?: string
  readonly helper?: string
  readonly provider?: 'ecr' | 'google' | 'azure'
  readonly keyFile?: string
  readonly region?: string
  readonly tenant?: string
  readonly clientId?: string
  readonly clientSecret?: string
}

/** What a login is for. */
export interface LoginContext {
  readonly upstream: string
  readonly url: URL
  readonly now: () => number
}

export function loginSource(login: Login, context: LoginContext): CredentialSource {
  const renewed = (label: string, fetch: ConstructorParameters<typeof Renewed>[0]['fetch']) =>
    new Renewed({ upstream: context.upstream, label, fetch, now: context.now })
  if (login.dockerConfig !== undefined) {
    return renewed('Docker config', dockerConfigLogin(login.dockerConfig, context))
  }
  if (login.helper !== undefined) return renewed(`helper ${login.helper}`, helperLogin(login.helper, context))
  if (login.provider === 'ecr') return renewed('Amazon ECR', ecrLogin(login, context))
  if (login.provider === 'google') return renewed('Google', googleLogin(login, context))
  if (login.provider === 'azure') return renewed('Azure', azureLogin(login, context))
  if (login.passwordFile !== undefined) return passwordFile(login.username ?? '', login.passwordFile, context)
  return constant(login)
}

function constant({ username = '', password = '', identityToken, bearerToken }: Login): CredentialSource {
  const [label, credentials]: [string, Credentials] =
    identityToken !== undefined
      ? ['identity token', { kind: 'identity', token: identityToken }]
      : bearerToken !== undefined
        ? ['token', { kind: 'bearer', token: bearerToken }]
        : [username, { kind: 'password', username, password }]
  return { label, get: () => Promise.resolve(credentials), forget: () => false }
}

function passwordFile(username: string, file: string, { upstream }: LoginContext): CredentialSource {
  return {
    label: username,
    forget: () => false,
    async get() {
      try {
        const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
        return { kind: 'password', username, password }
      } catch (cause) {
        throw new UpstreamError(
          'unauthorized',
          `upstream ${upstream}: the password file of ${username} cannot be read`,
          {
            cause,
          },
        )
      }
    },
  }
}

import { join } from 'node:path'
import { berthCli } from './cli.ts'
import { makeFolder } from './folder.ts'
import { clientSecret, startLoginProvider, type LoginProvider, type LoginProviderOptions } from './login-provider.ts'
import { startBerth, type BerthOptions, type RunningBerth } from './start.ts'

/** People of a provider, by subject. Each test may change its own. */
export const staff = () => ({
  s1: { preferred_username: 'ann', email: 'ann@example.com', email_verified: true, groups: ['staff', 'devs'] },
  s2: { preferred_username: 'bob', email: 'bob@example.com', email_verified: false, groups: ['staff'] },
  s3: { preferred_username: 'Zoë Smith', email: 'zoe@other.test', email_verified: true },
})

export interface OidcOptions extends Partial<LoginProviderOptions> {
  /** More of the entry of access.oidc. */
  rules?: object
  /** More of access. */
  access?: object
  secret?: string
  /** More settings of Berth. */
  berth?: BerthOptions
}

export interface ProvidedBerth extends RunningBerth {
  readonly provider: LoginProvider
  /** Runs a command such as `user list` with the same settings. */
  readonly cli: (command: string, input?: string) => Promise<string>
  /** Starts it once more, perhaps with other rules. */
  readonly again: (rules?: object) => Promise<RunningBerth>
}

/** Berth in front of whose pages people log in at a provider. root is an admin of the settings. */
export async function startWithProvider(options: OidcOptions = {}): Promise<ProvidedBerth> {
  const { rules = {}, access = {}, secret = clientSecret, berth = {}, people = staff(), ...more } = options
  const provider = await startLoginProvider({ people, ...more })
  const file = join(makeFolder({ secret: `${secret}\n` }), 'secret')
  const data = join(makeFolder(), 'data')
  const user = { username: 'root', password: rootPassword }
  const open = async (rules: object) => {
    const oidc = [provider.settings(file, rules)]
    const running = await startBerth({ data, access: { user, oidc, ...access }, ...berth })
    provider.admit((berth.publicUrl as string | undefined) ?? running.url)
    return running
  }
  return {
    ...(await open(rules)),
    provider,
    cli: (command, input) => {
      const env = { BERTH_ACCESS_OIDC: JSON.stringify([provider.settings(file, rules)]) }
      return berthCli(data, command.split(' '), input, env)
    },
    again: (other = rules) => open(other),
  }
}

export const rootPassword = 'the password of root'

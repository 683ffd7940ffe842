import { createHash } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import type { Attempts } from './attempts.ts'
import type { ReportAccessEvent } from './events.ts'
import type { Identity } from './identity.ts'
import type { Provider } from './provider.ts'
import type { ProviderAccounts } from './provider-accounts.ts'
import { judgeBy, type Verdict } from './provider-rules.ts'
import { RefusedLogin } from './refused-login.ts'
import { SealedLogins, type BegunLogin } from './sealed-logins.ts'
import type { Directory } from './users.ts'

export interface ProviderLoginsOptions {
  providers: readonly Provider[]
  accounts: ProviderAccounts
  directory: Directory
  attempts: Attempts
  report: ReportAccessEvent
  now: () => number
}

/** A browser that came back from a provider. */
export interface ReturnedBrowser {
  /** What `begin` gave it to keep. */
  readonly sealed: string
  readonly query: URLSearchParams
  readonly address: string | undefined
}

export interface FinishedLogin {
  readonly identity: Identity
  /** The page that the login was for. */
  readonly next: string
  /** For the provider, when it is asked to log out. */
  readonly idToken: string
}

/** Logins of people at OpenID providers. */
export class ProviderLogins {
  readonly #options: ProviderLoginsOptions
  readonly #providers: ReadonlyMap<string, { provider: Provider; judge: ReturnType<typeof judgeBy>; state: string }>
  readonly #sealed: SealedLogins

  constructor(options: ProviderLoginsOptions) {
    this.#options = options
    this.#sealed = new SealedLogins(options.now)
    const entry = (provider: Provider) => ({
      provider,
      judge: judgeBy(provider.settings),
      state: fingerprint(provider),
    })
    this.#providers = new Map(options.providers.map((provider) => [provider.settings.name, entry(provider)]))
  }

  /** For buttons and lists. */
  get list(): readonly { readonly name: string; readonly label: string; readonly issuer: string }[] {
    return this.#options.providers.map(({ label, settings: { name, issuer } }) => ({ name, label, issuer }))
  }

  /**
   * Where a browser goes to log in, and what it keeps until it comes back to `redirectUri`. Throws NAME_UNKNOWN for a provider
   * that is not configured, and RefusedLogin.
   */
  async begin(
    name: string,
    order: { redirectUri: string; next: string },
    address = '',
  ): Promise<{ url: string; label: string; sealed: string }> {
    const { provider } = this.#expect(name)
    try {
      const { url, login } = await provider.begin(order)
      return { url, label: provider.label, sealed: await this.#sealed.seal(login) }
    } catch (error) {
      throw this.#refused(error, { name, address })
    }
  }

  /** Who came back. Throws NAME_UNKNOWN, and RefusedLogin with why not, for the person to read. */
  async finish(name: string, back: ReturnedBrowser): Promise<FinishedLogin> {
    const { provider, judge, state } = this.#expect(name)
    const { accounts, attempts, report } = this.#options
    const { sealed, query, address = '' } = back
    let facts: Facts = { name, address }
    try {
      this.#expectPatience(address)
      const login = await this.#sealed.use(sealed, { provider: name, state: query.get('state') ?? '' })
      if (!login) throw notBegunHere()
      const { claims, idToken } = await this.#exchange(provider, back, login)
      const { sub: subject } = claims
      const verdict = judge(claims)
      const known = `${provider.settings.issuer} ${subject}`
      facts = { ...facts, subject: known, verdict }
      if (!verdict.allowed) throw new RefusedLogin('not allowed', notAllowed(provider))
      const { id, user } = await accounts.enter({ provider: provider.settings, subject, verdict, address })
      attempts.right(undefined, address)
      report({ type: 'login-succeeded', user, by: `oidc ${name}`, address, subject: known })
      return { identity: { user, credential: { kind: 'oidc', id: `${id}.${state}` } }, next: login.next, idToken }
    } catch (error) {
      throw this.#refused(error, facts)
    }
  }

  /** Where a browser that logged in by a provider logs out there as well; undefined where there is no such place. */
  async logout(
    { credential }: Identity,
    { returnTo, idToken }: { returnTo: string; idToken: string | undefined },
  ): Promise<{ url: string; label: string } | undefined> {
    const provider = credential?.kind === 'oidc' ? this.#providerOf(credential.id)?.provider : undefined
    const url = await provider?.logoutUrl(returnTo, idToken)
    return provider && url !== undefined ? { url, label: provider.label } : undefined
  }

  /** Whether a login holds: its link to the user, the user's account, and the settings by which it was let in. */
  holds(user: string, id: string): boolean {
    const { directory } = this.#options
    const [identityId = '', state] = id.split('.')
    return (
      directory.identity(identityId)?.user === user &&
      directory.user(user) !== undefined &&
      this.#providerOf(id)?.state === state
    )
  }

  #providerOf(id: string) {
    const issuer = this.#options.directory.identity(id.split('.', 1)[0]!)?.issuer
    return [...this.#providers.values()].find(({ provider }) => provider.settings.issuer === issuer)
  }

  #expect(name: string) {
    const found = this.#providers.get(name)
    if (!found) throw new RegistryError('NAME_UNKNOWN', 'there is no provider of this name to log in at')
    return found
  }

  #expectPatience(address: string): void {
    const wait = this.#options.attempts.wait(undefined, address)
    if (wait === 0) return
    const seconds = Math.ceil(wait / 1_000)
    throw new RefusedLogin('too many attempts', `too many logins went wrong: the next is looked at in ${seconds} s`)
  }

  /**
   * Counts as a login that is wrong until it is right, for it costs the provider requests; what is the provider's fault does not.
   * Nor does what no browser here has begun: any page of the web can make a browser send that.
   */
  async #exchange(provider: Provider, { query, address = '' }: ReturnedBrowser, login: BegunLogin) {
    const { attempts } = this.#options
    attempts.begin(undefined, address)
    try {
      return await provider.finish(query, login)
    } catch (error) {
      if (error instanceof RefusedLogin && error.why === 'provider trouble') attempts.forgive(undefined, address)
      throw error
    }
  }

  /** Tells of it, and hands it on. */
  #refused(error: unknown, { name, address, subject, verdict }: Facts): unknown {
    if (!(error instanceof RefusedLogin)) return error
    const { why, told } = error
    this.#options.report({
      type: 'login-refused',
      user: verdict?.claimed.slice(0, 100),
      why,
      by: `oidc ${name}`,
      address,
      ...(subject !== undefined && { subject }),
      ...(told !== undefined && { message: told }),
    })
    return error
  }
}

/** What is known of a login so far. */
interface Facts {
  readonly name: string
  readonly address: string
  readonly subject?: string
  readonly verdict?: Verdict
}

function notBegunHere(): RefusedLogin {
  const message =
    'this login was not begun in this browser, took more than ten minutes, or was used already: log in once more'
  return new RefusedLogin('not begun here', message)
}

function notAllowed({ label }: Provider): string {
  return `${label} knows you, but the rules of this registry let others in: ask who looks after it`
}

/** Another one when the rules by which somebody was let in have changed: then they log in anew. */
function fingerprint({ settings: { issuer, clientId, allow } }: Provider): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, clientId, allow]))
    .digest('hex')
    .slice(0, 16)
}

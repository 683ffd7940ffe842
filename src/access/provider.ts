import type { ClientAuth, Configuration } from 'openid-client'
import type { IdClaims } from './claims.ts'
import { isSafe } from './open-id-issuer.ts'
import { refusalOf, Unreachable } from './provider-problem.ts'
import type { ProviderRules } from './provider-rules.ts'
import type { BegunLogin } from './sealed-logins.ts'

// Loaded with the first login at a provider.
const openIdClient = () => import('openid-client')

/** For so long what a provider says of itself is not asked again, in milliseconds. */
const discoveredFor = 3_600_000

export interface ProviderSettings extends ProviderRules {
  /** In addresses and logs. */
  readonly name: string
  /** What people call it. */
  readonly label?: string | undefined
  /** As its tokens name it, to the letter. */
  readonly issuer: string
  readonly clientId: string
  /** A file that holds the secret by which it knows us; without one, it knows us by nothing but PKCE. */
  readonly clientSecretFile?: string | undefined
  readonly scopes: readonly string[]
}

/** The part of `fetch` that a library asks with. */
export type Fetch = (
  url: string,
  asked: { method?: string; headers?: Record<string, string>; body?: unknown; signal?: AbortSignal | undefined },
) => Promise<Response>

export interface ProviderOptions {
  settings: ProviderSettings
  clientSecret: string | undefined
  fetch: Fetch
  now: () => number
}

/** One OpenID provider, spoken to as a relying party: code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 9700). */
export class Provider {
  readonly #options: ProviderOptions
  #discovered: { configuration: Promise<Configuration>; at: number } | undefined

  constructor(options: ProviderOptions) {
    this.#options = options
  }

  get settings(): ProviderSettings {
    return this.#options.settings
  }

  get label(): string {
    return this.settings.label ?? this.settings.name
  }

  /** A login to begin, and where the browser is to go for it. Throws RefusedLogin. */
  async begin(order: Pick<BegunLogin, 'redirectUri' | 'next'>): Promise<{ url: string; login: BegunLogin }> {
    const configuration = await this.#configuration()
    const client = await openIdClient()
    const { name: provider, scopes } = this.settings
    const verifier = client.randomPKCECodeVerifier()
    const login = { ...order, provider, state: client.randomState(), nonce: client.randomNonce(), verifier }
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: login.redirectUri,
      scope: scopes.join(' '),
      state: login.state,
      nonce: login.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    if (!isSafe(url.href)) throw refusalOf(new Error(`it wants logins at ${url.origin}, which is not https`), this)
    return { url: url.href, login }
  }

  /** What the provider says of who came back with this query. Throws RefusedLogin. */
  async finish(
    query: URLSearchParams,
    login: BegunLogin,
  ): Promise<{ claims: IdClaims & { sub: string }; idToken: string }> {
    const configuration = await this.#configuration()
    const client = await openIdClient()
    try {
      const returned = new URL(login.redirectUri)
      returned.search = query.toString()
      const tokens = await client.authorizationCodeGrant(configuration, returned, {
        expectedState: login.state,
        expectedNonce: login.nonce,
        pkceCodeVerifier: login.verifier,
      })
      const claims = tokens.claims()!
      // What scopes ask for may be there alone (5.4). What is signed counts more.
      const more = configuration.serverMetadata().userinfo_endpoint
        ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
        : {}
      return { claims: { ...more, ...claims }, idToken: tokens.id_token! }
    } catch (error) {
      throw refusalOf(error, this)
    }
  }

  /** Where a browser logs out there as well; undefined where there is no such page, or the provider cannot be asked (RP-Initiated Logout 1.0). */
  async logoutUrl(returnTo: string, idToken: string | undefined): Promise<string | undefined> {
    const configuration = await this.#configuration().catch(() => undefined)
    if (configuration?.serverMetadata().end_session_endpoint === undefined) return undefined
    const { buildEndSessionUrl } = await openIdClient()
    const hint = idToken === undefined ? {} : { id_token_hint: idToken }
    const url = buildEndSessionUrl(configuration, { post_logout_redirect_uri: returnTo, ...hint }).href
    return isSafe(url) ? url : undefined
  }

  async #configuration(): Promise<Configuration> {
    const { now } = this.#options
    if (!this.#discovered || now() >= this.#discovered.at + discoveredFor) {
      this.#discovered = { configuration: this.#discover(), at: now() }
    }
    const { configuration } = this.#discovered
    try {
      return await configuration
    } catch (error) {
      if (this.#discovered?.configuration === configuration) this.#discovered = undefined
      throw refusalOf(error, this)
    }
  }

  async #discover(): Promise<Configuration> {
    const client = await openIdClient()
    const { issuer, clientId } = this.settings
    const isPlain = issuer.startsWith('http:')
    const found = await client.discovery(new URL(issuer), clientId, undefined, await this.#authentication(), {
      [client.customFetch]: (url, asked) => this.#fetch(url, asked),
      // Without it the ID token would count unsigned: it comes from the provider itself. With it, it is checked all the same.
      execute: [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])],
    })
    const { issuer: named } = found.serverMetadata()
    if (named !== issuer) throw new Error(`it calls itself ${named}`)
    return found
  }

  async #fetch(url: string, asked: Parameters<Fetch>[1]): Promise<Response> {
    if (!isSafe(url)) throw new Error(`it names ${url}, which is not https`)
    try {
      return await this.#options.fetch(url, asked)
    } catch (cause) {
      throw new Unreachable(new URL(url).host, cause)
    }
  }

  /** The usual way, unless the provider knows the other one alone (OpenID Connect Discovery 1.0, 3). */
  async #authentication(): Promise<ClientAuth> {
    const { ClientSecretBasic, ClientSecretPost, None } = await openIdClient()
    const secret = this.#options.clientSecret
    if (secret === undefined) return None()
    const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
    return (server, ...others) => {
      const known = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
      return (known.includes('client_secret_basic') ? basic : post)(server, ...others)
    }
  }
}

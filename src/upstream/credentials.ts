/** What a login consists of. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token, for a token server (OAuth 2). */
  | { readonly kind: 'identity'; readonly token: string }
  /** A token for the registry itself. */
  | { readonly kind: 'bearer'; readonly token: string }

/** Where an account's credentials come from. */
export interface CredentialSource {
  /** What it is, for people: a user's name, a helper's, a cloud's. Never a secret. */
  readonly label: string
  /** Rejects with an UpstreamError (unauthorized) when there are none to be had. */
  get(): Promise<Credentials>
  /** What `get` gave was refused. True when the next `get` may give something else. */
  forget(): boolean
}

/** Which hosts may be shown an account's credentials: the upstream's own, and those of its token server that the operator or we know. */
export class CredentialScope {
  readonly #upstream: URL
  readonly #hosts: ReadonlySet<string>
  readonly #source: CredentialSource | undefined

  constructor(upstream: URL, tokenHosts: readonly string[], source: CredentialSource | undefined) {
    this.#upstream = upstream
    this.#hosts = new Set([upstream.host, ...tokenHosts])
    this.#source = source
  }

  /** The credentials' source, for a host that may have them. An https upstream's credentials never travel over http. */
  for(target: URL): CredentialSource | undefined {
    if (!this.#hosts.has(target.host)) return undefined
    if (this.#upstream.protocol === 'https:' && target.protocol !== 'https:') return undefined
    return this.#source
  }
}

/** The account name that registries give those who come with a refresh token where a password is expected. */
const tokenUser = '00000000-0000-0000-0000-000000000000'

export function basic(credentials: Credentials): string {
  const [user, password] =
    credentials.kind === 'password' ? [credentials.username, credentials.password] : [tokenUser, credentials.token]
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
}

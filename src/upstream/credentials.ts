export interface Credentials {
  readonly username: string
  readonly password: string
}

/** Which hosts may be shown an upstream's credentials: its own, and those of its token server that the operator or we know. */
export class CredentialScope {
  readonly #hosts: ReadonlySet<string>
  readonly credentials: Credentials | undefined

  constructor(url: URL, tokenHosts: readonly string[], credentials: Credentials | undefined) {
    this.#hosts = new Set([url.host, ...tokenHosts])
    this.credentials = credentials
  }

  /** The credentials for a host, if it may have them. An https upstream's credentials never travel over http. */
  for(target: URL, upstream: URL): Credentials | undefined {
    if (!this.#hosts.has(target.host)) return undefined
    if (upstream.protocol === 'https:' && target.protocol !== 'https:') return undefined
    return this.credentials
  }
}

export function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

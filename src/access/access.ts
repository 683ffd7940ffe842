// Who is asking, and what they may do. Every route asks here first.
import { readFile } from 'node:fs/promises'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { PrivateRight, Soon } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { hostNamespaces, type Accounts } from './accounts.ts'
import { Attempts } from './attempts.ts'
import type { BasicCredentials } from './basic.ts'
import { Credentials } from './credentials.ts'
import type { ReportAccessEvent } from './events.ts'
import { Guard, type AddressedRepository } from './guard.ts'
import { anonymous, type Identity } from './identity.ts'
import { Issuer, type IssuedToken, type TokenRequest } from './issuer.ts'
import type { GetJson } from './open-id-issuer.ts'
import { explain, type Asked, type AskedUpstream, type Explained } from './explain.ts'
import type { Passwords } from './passwords.ts'
import { Policy, type Action, type PolicySettings } from './policy.ts'
import { Provider, type Fetch, type ProviderSettings } from './provider.ts'
import { ProviderAccounts } from './provider-accounts.ts'
import { ProviderLogins, type ProviderLoginsOptions } from './provider-logins.ts'
import { commandsLifetime, sessionLifetime, Tokens } from './tokens.ts'
import { Directory } from './users.ts'
import { Workloads, type WorkloadRule } from './workloads.ts'

export { commandsLifetime, sessionLifetime }
export { AccountError } from './account-names.ts'
export { Accounts } from './accounts.ts'
export type { AskedUpstream, Explained }
export { otherUsers } from './other-users.ts'
export type { Action } from './policy.ts'
export { guarded, type GuardOptions } from './guarded.ts'
export { platformed } from './platforms.ts'
export { readBasic, type BasicCredentials } from './basic.ts'
export { formatScopes, parseScopes, type Scope } from './scope.ts'
export type { AccessEvent } from './events.ts'
export type { AddressedRepository } from './guard.ts'
export { operator, type Identity } from './identity.ts'
export type { IssuedToken, TokenRequest } from './issuer.ts'
export { Passwords } from './passwords.ts'
export { loginLifetime } from './sealed-logins.ts'
export { Traffic, type TrafficLimits, type TurnedAway } from './traffic.ts'
export { workloadUser } from './workloads.ts'

export interface AccessSettings extends PolicySettings {
  /** An admin who is not in the database. */
  readonly user?: { readonly username: string; readonly password: string } | undefined
  /** A file of users and their bcrypt hashes, read again when it changes. */
  readonly htpasswdFile?: string | undefined
  /** Which ID tokens of CI jobs are logins; the first that fits counts. */
  readonly workloads: readonly WorkloadRule[]
  /** Where people log in, besides here. */
  readonly oidc: readonly ProviderSettings[]
}

export interface AccessOptions {
  settings: AccessSettings
  /** Holds the keys that sign tokens. */
  folder: string
  metadata: Metadata
  passwords: Passwords
  /** Tells the repositories of this registry from those of upstreams, which nobody may change. */
  isHosted: (name: RepositoryName) => boolean
  /** Asks issuers of ID tokens. */
  getJson: GetJson
  /** Asks providers at which people log in. */
  fetch: Fetch
  /** Changes of accounts that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
  report?: ReportAccessEvent
  now?: () => number
}

/** Of pages, or of the command line. */
export type SessionKind = 'session' | 'commands'

export interface Access {
  /**
   * Reads an Authorization header that came from `address`. Where nobody can log in, credentials are as good as none: some
   * clients send them unasked. Throws TOOMANYREQUESTS for one who has been wrong too often.
   */
  identify(authorization: string | undefined, address: string | undefined): Soon<Identity>
  /**
   * For pages: who a name and a password stand for. Throws UNAUTHORIZED, or TOOMANYREQUESTS for one who has been wrong too
   * often.
   */
  login(given: BasicCredentials, address: string | undefined): Promise<Identity>
  /** Logins of people elsewhere, which open a session as well. */
  readonly providers: Pick<ProviderLogins, 'list' | 'begin' | 'finish' | 'logout'>
  /** What a browser keeps to be known again, for `sessionLifetime` seconds, or the command line, for `commandsLifetime`. */
  openSession(identity: Identity, kind?: SessionKind): Promise<string>
  /** Whose session it is; nobody's once it is over, or the password has changed since. */
  bySession(session: string, kind?: SessionKind): Promise<Identity>
  /**
   * Whether the API may be used at all, as `GET /v2/` asks. Throws UNAUTHORIZED or DENIED. Clients learn here alone how to
   * log in, so where there are users this asks for it; not so `asMirror`, for dockerd would answer with its Docker Hub password.
   */
  enter(identity: Identity, asMirror: boolean): void
  /** Throws UNAUTHORIZED or DENIED for those whom nothing at all is open to. */
  expectServed(identity: Identity): void
  /** As `enter`, for the list of repositories. */
  enterCatalog(identity: Identity): void
  /** Throws, or rejects with, UNAUTHORIZED, DENIED or NAME_UNKNOWN unless this identity may do this to this repository. */
  may(identity: Identity, action: Exclude<Action, 'private'>, repository: AddressedRepository): Soon<void>
  /** Whether it may take content over from a hosted repository that is there. */
  maySource(identity: Identity, name: RepositoryName): boolean
  /** Whether a list may tell it of a hosted repository that is there. */
  mayList(identity: Identity, name: RepositoryName): boolean
  mayReadPrivate(identity: Identity, name: RepositoryName): PrivateRight
  /**
   * Throws UNAUTHORIZED or DENIED unless this identity looks after the whole registry. `local`: it comes from this machine,
   * which is enough where everybody may push and nobody can log in.
   */
  administer(identity: Identity, local: boolean): void
  /** What would be decided of an account, or of nobody, and why; undefined when there is no such account. */
  explain(asked: Asked): Explained | undefined
  /** A token for what is asked, as far as it is allowed. `nameOf` tells what the client's address of a repository means. */
  issue(request: TokenRequest, nameOf: (path: string) => RepositoryName | undefined): Promise<IssuedToken>
  /** Whether it may see how the server does. */
  mayWatch(identity: Identity): boolean
  /** Whether there is somebody who may change everything. */
  readonly hasAdmin: boolean
  /** Takes up what has changed of accounts, at once. */
  refresh(): Promise<void>
  stop(): void
}

/** Rejects when the accounts, the file of passwords or the keys cannot be read. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { settings, folder, metadata, passwords, isHosted, getJson, report = () => {}, now = Date.now } = options
  const found = (names: readonly string[]) => hostNamespaces(metadata.hosted, names, now)
  const directory = await Directory.open({ ...settings, metadata: metadata.access, report, found })
  directory.watch()
  const tokens = await Tokens.open(folder, now)
  const attempts = new Attempts(now)
  const providers = await openProviders(options, { directory, attempts, report, now })
  const credentials = new Credentials({
    directory,
    tokens,
    workloads: new Workloads(settings.workloads, getJson, now),
    passwords,
    attempts,
    mirrorAttempts: new Attempts(now),
    holdsElsewhere: (user, id) => providers.holds(user, id),
    report,
    now,
  })
  const policy = new Policy(settings)
  const guard = new Guard({
    policy,
    directory,
    anonymous: settings.anonymous,
    isHosted,
    exists: (name) => metadata.hosted.hasRepository(name),
  })
  const issuer = new Issuer({ credentials, guard, tokens, isHosted, now })
  return {
    identify: (authorization, address = '') =>
      authorization !== undefined && directory.hasUsers ? credentials.identify(authorization, address) : anonymous,
    async login(given, address = '') {
      const identity = await credentials.loginAnew(given, address)
      // A session would outlive the job.
      if (identity.credential?.kind === 'workload') throw new RegistryError('UNAUTHORIZED', 'pages are for people')
      guard.expectServed(identity)
      return identity
    },
    providers,
    openSession: ({ user, credential }, kind = 'session') => tokens.make(kind, { user, credential, scopes: [] }),
    bySession: (session, kind = 'session') => credentials.bySession(kind, session),
    enter: (identity, asMirror) => guard.enter(identity, asMirror),
    expectServed: (identity) => guard.expectServed(identity),
    enterCatalog: (identity) => guard.enterCatalog(identity),
    may: (identity, action, repository) => guard.may(identity, action, repository),
    maySource: (identity, name) => guard.sees(identity, name),
    mayList: (identity, name) => guard.lists(identity, name),
    mayReadPrivate: (identity, name) => guard.mayReadPrivate(identity, name),
    administer: (identity, local) => guard.administer(identity, local),
    explain: (asked) => explain(policy, directory, asked),
    issue: (request, nameOf) => issuer.issue(request, nameOf),
    mayWatch: ({ user }) => user !== undefined || !directory.hasUsers,
    get hasAdmin() {
      return directory.hasAdmin
    },
    refresh: () => directory.refresh(),
    stop: () => directory.stop(),
  }
}

/** Rejects when the secret of one cannot be read. */
async function openProviders(
  { settings, metadata, accountsFrom, fetch }: AccessOptions,
  parts: Pick<ProviderLoginsOptions, 'directory' | 'attempts' | 'report' | 'now'>,
): Promise<ProviderLogins> {
  const accounts = new ProviderAccounts({ metadata: metadata.access, directory: parts.directory, accountsFrom })
  await accounts.settle(settings.oidc)
  await parts.directory.refresh()
  const provider = async (one: ProviderSettings) => {
    const file = one.clientSecretFile
    const clientSecret = file === undefined ? undefined : (await readFile(file, 'utf8')).trim()
    return new Provider({ settings: one, clientSecret, fetch, now: parts.now })
  }
  return new ProviderLogins({ ...parts, providers: await Promise.all(settings.oidc.map(provider)), accounts })
}

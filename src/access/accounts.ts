import type { AccessMetadata, HostedMetadata, IdentityRecord, Role, TokenRecord } from '../metadata/metadata.ts'
import { AccountError, expectNewName, isNamespaceName, makeIdentityId, type OtherNames } from './account-names.ts'
import type { ReportAccessEvent } from './events.ts'
import type { Passwords } from './passwords.ts'
import { makeToken } from './robot-tokens.ts'
import { adminScope, parseLimit } from './scope.ts'

export interface AccountsOptions extends OtherNames {
  metadata: { access: AccessMetadata; hosted: HostedMetadata }
  passwords: Passwords
  /** The providers at which people log in. */
  providers: readonly { readonly name: string; readonly issuer: string }[]
  /** Namespaces that the settings name. */
  namespaces: readonly string[]
  report?: ReportAccessEvent
  /** Who asks for the change, and from where. */
  by?: string
  address?: string
  now?: () => number
}

/** Of one token: each request with it is held against all of them. */
const mostScopes = 100

/** Hosts the namespaces of users that others keep. A name that could be none has none. */
export async function hostNamespaces(
  hosted: HostedMetadata,
  names: readonly string[],
  now: () => number,
): Promise<void> {
  const there = new Set(await hosted.listNamespaces())
  for (const name of names) {
    if (isNamespaceName(name) && !there.has(name)) await hosted.addNamespace(name, now())
  }
}

/** Makes and changes accounts and their rights: one place for the command line and pages. Every method throws AccountError. */
export class Accounts {
  readonly #options: AccountsOptions

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  /** The user's namespace is hosted from then on. */
  async addUser(name: string, password: string, admin: boolean): Promise<void> {
    expectNewName(name, this.#options)
    expectPassword(password)
    await this.#add(name, 'user', admin, await this.#options.passwords.hash(password))
    this.#changed(name, admin ? 'added, an admin' : 'added')
  }

  /** A user by a first login at a provider, without a password. The namespace must be nobody's: what is there is another's. */
  async addLinked(name: string, provider: string, subject: string): Promise<IdentityRecord> {
    expectNewName(name, this.#options)
    const { access, hosted } = this.#options.metadata
    if (this.#options.namespaces.includes(name) || (await hosted.listNamespaces()).includes(name)) {
      throw new AccountError(`the namespace ${name} is here already`)
    }
    const at = this.#now()
    const identity = { id: makeIdentityId(), issuer: this.#issuerOf(provider), subject, user: name, addedAt: at }
    const account = { name, kind: 'user', password: undefined, admin: false, createdAt: at } as const
    if (!(await access.addIdentity(identity, account))) throw new AccountError(`there is an account ${name} already`)
    await hosted.addNamespace(name, at)
    this.#changed(name, `added by a login at ${provider}`)
    return { ...identity, removed: false }
  }

  async addOrganization(name: string): Promise<void> {
    expectNewName(name, this.#options)
    await this.#add(name, 'organization', false)
    this.#changed(name, 'added, an organization')
  }

  /** With its tokens, memberships and grants. What was pushed to its namespace stays. */
  async remove(name: string, kind: 'user' | 'organization'): Promise<void> {
    const { accounts } = await this.#records()
    if (!accounts.some((account) => account.name === name && account.kind === kind)) throw noSuch(kind, name)
    await this.#options.metadata.access.removeAccount(name)
    this.#changed(name, 'removed')
  }

  async setPassword(user: string, password: string): Promise<void> {
    expectPassword(password)
    const { metadata, passwords } = this.#options
    const done = await metadata.access.setPassword(user, await passwords.hash(password))
    if (!done) throw noSuch('user', user)
    this.#changed(user, 'password changed')
  }

  /** Whoever logs in at the provider and is called this there is this user from then on. */
  async link(user: string, provider: string, subject: string): Promise<void> {
    await this.#expectAccount(user, ['user'])
    const issuer = this.#issuerOf(provider)
    if (subject === '' || subject.length > 255 || /\p{Cc}/u.test(subject)) {
      throw new AccountError(`a subject must have 1 to 255 characters, saw ${JSON.stringify(subject.slice(0, 300))}`)
    }
    const identity = { id: makeIdentityId(), issuer, subject, user, addedAt: this.#now() }
    if (!(await this.#options.metadata.access.addIdentity(identity))) {
      const { identities } = await this.#records()
      const whose = identities.find((one) => one.issuer === issuer && one.subject === subject)?.user
      throw new AccountError(`${subject} of ${provider} is ${whose ?? 'another user'} already; unlink it there first`)
    }
    this.#changed(user, `linked to ${subject} of ${provider}`)
  }

  /** What the provider's claims gave goes with it. Also for one whose account was removed: it may come back as a new one then. */
  async unlink(user: string, provider: string, subject: string): Promise<void> {
    const issuer = this.#issuerOf(provider)
    const { identities } = await this.#records()
    const found = identities.find((one) => one.issuer === issuer && one.subject === subject && one.user === user)
    if (!found) throw new AccountError(`${user} is not linked to ${JSON.stringify(subject)} of ${provider}`)
    await this.#options.metadata.access.removeIdentity(found.id)
    this.#changed(user, `no more linked to ${subject} of ${provider}`)
  }

  /** Without a role the user is a member no more. `issuer`: whose claims say so. */
  async setMember(organization: string, user: string, role: Role | undefined, issuer?: string): Promise<void> {
    if (role) await this.#expectAccount(user, ['user'])
    if (!(await this.#options.metadata.access.setMember(organization, user, role, issuer))) {
      throw noSuch('organization', organization)
    }
    this.#changed(user, `${role ?? 'no member'} in ${organization}`)
  }

  /** By the claims of an issuer; without one, what claims gave is taken back. */
  async setAdminBy(user: string, issuer: string | undefined): Promise<void> {
    if (!(await this.#options.metadata.access.setAdminBy(user, issuer))) throw noSuch('user', user)
    this.#changed(user, issuer === undefined ? 'no admin any more' : 'an admin')
  }

  /** Without a role the grant is taken back. `name`: a repository, or a namespace for all its repositories. */
  async setGrant(name: string, account: string, role: Role | undefined): Promise<void> {
    if (role) {
      await this.#expectAccount(account, ['user', 'organization'])
      await this.#expectHosted(name)
    }
    await this.#options.metadata.access.setGrant(name, account, role)
    this.#changed(account, `${role ?? 'no grant'} of ${name}`)
  }

  /** `name`: a repository, or a namespace for those of its repositories of which nothing is said. */
  async setPublic(name: string, isPublic: boolean): Promise<void> {
    await this.#expectHosted(name)
    await this.#options.metadata.access.setPublic(name, isPublic)
    this.#changed(name, isPublic ? 'public' : 'private')
  }

  /** The token itself is in the answer and nowhere else. `lifetime`: milliseconds. */
  async createToken(
    owner: string,
    { name, scopes, lifetime }: { name: string; scopes: readonly string[]; lifetime: number | undefined },
  ): Promise<{ token: string; record: TokenRecord }> {
    await this.#expectAccount(owner, ['user', 'organization'])
    if (scopes.length > mostScopes)
      throw new AccountError(`a token may have at most ${mostScopes} scopes, saw ${scopes.length}`)
    const wrong = scopes.find((scope) => scope !== adminScope && !parseLimit(scope))
    if (wrong !== undefined || scopes.length === 0) {
      const wanted = `a scope must be PATTERN:ACTIONS such as team/*:pull,push, or ${adminScope}`
      throw new AccountError(`${wanted}, saw ${JSON.stringify(wrong)}`)
    }
    if (scopes.includes(adminScope)) await this.#expectAdmin(owner)
    const { token, id, secretHash } = makeToken()
    const createdAt = this.#now()
    const expiresAt = lifetime === undefined ? undefined : createdAt + lifetime
    const record = { id, owner, name, secretHash, scopes, createdAt, expiresAt }
    await this.#options.metadata.access.addToken(record)
    const { report = () => {}, by, address } = this.#options
    report({ type: 'token-created', user: owner, token: id, scopes, by, address })
    return { token, record }
  }

  async revokeToken(id: string): Promise<TokenRecord> {
    const gone = await this.#options.metadata.access.removeToken(id)
    if (!gone) throw new AccountError(`there is no token ${JSON.stringify(id)}; berth token list tells which there are`)
    const { report = () => {}, by, address } = this.#options
    report({ type: 'token-revoked', user: gone.owner, token: id, by, address })
    return gone
  }

  async #add(name: string, kind: 'user' | 'organization', admin: boolean, password?: string): Promise<void> {
    const { access, hosted } = this.#options.metadata
    const added = await access.addAccount({ name, kind, password, admin, createdAt: this.#now() })
    if (!added) throw new AccountError(`there is an account ${name} already`)
    await hosted.addNamespace(name, this.#now())
  }

  /** One that is configured no more may be named by its issuer. */
  #issuerOf(provider: string): string {
    const { providers } = this.#options
    const found = providers.find(({ name, issuer }) => name === provider || issuer === provider)
    if (found) return found.issuer
    if (/^https?:/.test(provider)) return provider
    const known = providers.map(({ name }) => name).join(', ') || 'none is configured'
    throw new AccountError(`a provider of access.oidc is needed (${known}), saw ${JSON.stringify(provider)}`)
  }

  #records() {
    return this.#options.metadata.access.load()
  }

  async #expectAccount(name: string, kinds: readonly string[]): Promise<void> {
    const { accounts } = await this.#records()
    if (accounts.some((account) => account.name === name && kinds.includes(account.kind))) return
    if (!this.#options.isOtherUser(name)) throw noSuch(kinds.join(' or '), name)
  }

  async #expectAdmin(owner: string): Promise<void> {
    const { accounts } = await this.#records()
    if (accounts.some(({ name, admin }) => name === owner && admin) || this.#options.isOtherUser(owner)) return
    throw new AccountError(`the scope ${adminScope} is for tokens of admins, and ${owner} is none`)
  }

  async #expectHosted(name: string): Promise<void> {
    const namespace = name.split('/', 1)[0]!
    if (!this.#options.isUpstream(namespace) && namespace !== '') return
    throw new AccountError(`a repository hosted here, or a namespace, is needed, saw ${JSON.stringify(name)}`)
  }

  #changed(user: string, change: string): void {
    const { report = () => {}, by, address } = this.#options
    report({ type: 'user-changed', user, change, by, address })
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }
}

/** Long rather than odd: NIST SP 800-63B asks for eight characters and forbids rules about kinds of characters. */
function expectPassword(password: string): void {
  const length = [...password].length
  if (length >= 8 && length <= 256) return
  throw new AccountError(`a password must have 8 to 256 characters, saw ${length}`)
}

function noSuch(kind: string, name: string): AccountError {
  return new AccountError(`there is no ${kind} ${JSON.stringify(name.slice(0, 100))}`)
}

import { AccountError, commandsLifetime, type Access, type Accounts } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { AccessRecords, Metadata, Role, TokenRecord } from '../metadata/metadata.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

/** A token without what would open anything. */
export type TokenView = Omit<TokenRecord, 'secretHash'>

export interface AccountView {
  readonly name: string
  readonly kind: 'user' | 'organization'
  readonly admin: boolean
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Of an organization. */
  readonly members: readonly { readonly user: string; readonly role: Role }[]
  /** Of a user. */
  readonly links: readonly LinkView[]
}

/** A login at a provider that is a user's. */
export interface LinkView {
  /** Its name; the issuer where it is configured no more. */
  readonly provider: string
  readonly subject: string
}

export interface AccountDetails extends AccountView {
  /** Of a user. */
  readonly organizations: readonly { readonly organization: string; readonly role: Role }[]
  readonly grants: readonly { readonly name: string; readonly role: Role }[]
  readonly tokens: readonly TokenView[]
}

export interface TokenOrder {
  readonly owner: string
  /** For people. */
  readonly name: string
  /** Each `PATTERN:ACTION,ACTION`. */
  readonly scopes: readonly string[]
  /** Milliseconds; undefined for one that does not expire. */
  readonly lifetime: number | undefined
}

export interface CommandsLogin {
  readonly user: string
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface AccountsAdminOptions {
  access: Access
  metadata: Metadata
  guard: Guard
  /** Changes that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
  workings: Workings
  now: () => number
}

/** Who there is and what they may do. People look after their own password and tokens, admins after everybody's. */
export class AccountsAdmin {
  readonly #options: AccountsAdminOptions

  constructor(options: AccountsAdminOptions) {
    this.#options = options
  }

  /** What the command line keeps to call the admin API with. Throws UNAUTHORIZED, or TOOMANYREQUESTS. */
  async logIn(visitor: Visitor, given: { username: string; password: string }): Promise<CommandsLogin> {
    const { access, now } = this.#options
    const identity = await access.login(given, visitor.address)
    const expiresAt = now() + commandsLifetime * 1_000
    return { user: identity.user!, token: await access.openSession(identity, 'commands'), expiresAt }
  }

  async list(visitor: Visitor): Promise<AccountView[]> {
    await this.#options.guard.expectAdministrator(visitor)
    const records = await this.#records()
    return records.accounts.map((account) => this.#viewOf(account, records))
  }

  /** Throws NAME_UNKNOWN. */
  async get(visitor: Visitor, name: string): Promise<AccountDetails> {
    await this.#options.guard.expectAdministrator(visitor)
    const records = await this.#records()
    const { accounts, members, grants, tokens } = records
    const account = accounts.find((account) => account.name === name)
    if (!account) throw new RegistryError('NAME_UNKNOWN', `there is no account ${JSON.stringify(name)}`)
    return {
      ...this.#viewOf(account, records),
      organizations: members
        .filter(({ user }) => user === name)
        .map(({ organization, role }) => ({ organization, role })),
      grants: grants.filter(({ account }) => account === name).map(({ name, role }) => ({ name, role })),
      tokens: tokens.filter(({ owner }) => owner === name).map(withoutSecret),
    }
  }

  /** The visitor's own tokens, and those of organizations that they own. Throws UNAUTHORIZED or DENIED. */
  async tokens(visitor: Visitor): Promise<TokenView[]> {
    const user = expectPerson(visitor)
    const records = await this.#records()
    return records.tokens.filter(({ owner }) => isOwner(records, user, owner)).map(withoutSecret)
  }

  /** All tokens that the visitor may revoke, or those of one owner. Throws UNAUTHORIZED or DENIED. */
  async revocableTokens(visitor: Visitor, owner: string | undefined): Promise<TokenView[]> {
    if (owner !== undefined) {
      await this.#expectOwner(visitor, owner)
      return (await this.#records()).tokens.filter((token) => token.owner === owner).map(withoutSecret)
    }
    if (!(await this.#options.guard.mayAdminister(visitor))) return this.tokens(visitor)
    return (await this.#records()).tokens.map(withoutSecret)
  }

  /** The names that the visitor may make tokens for. */
  async owned(visitor: Visitor): Promise<string[]> {
    const user = expectPerson(visitor)
    const { members } = await this.#records()
    return [user, ...members.filter((m) => m.user === user && m.role === 'owner').map((m) => m.organization)]
  }

  /** Whether the visitor logs in with a password: who comes from a provider alone has none. */
  async hasPassword(visitor: Visitor): Promise<boolean> {
    const user = expectPerson(visitor)
    const account = (await this.#records()).accounts.find(({ name }) => name === user)
    // Those who are not in the database are known by nothing else.
    return account === undefined || account.password !== undefined
  }

  /** The token itself is in the answer and nowhere else. */
  async createToken(visitor: Visitor, { owner, ...order }: TokenOrder): Promise<{ token: string; record: TokenView }> {
    await this.#expectOwner(visitor, owner)
    const { token, record } = await this.#change(visitor, (accounts) => accounts.createToken(owner, order))
    return { token, record: withoutSecret(record) }
  }

  /** Returns what is gone. */
  async revokeToken(visitor: Visitor, id: string): Promise<TokenView> {
    const found = (await this.#records()).tokens.find((token) => token.id === id)
    // Whose it is not learns nothing of it.
    await this.#expectOwner(visitor, found?.owner ?? '')
    return withoutSecret(await this.#change(visitor, (accounts) => accounts.revokeToken(id)))
  }

  /** The visitor's own. Throws UNAUTHORIZED where the present one is wrong. */
  async changePassword(visitor: Visitor, { present, next }: { present: string; next: string }): Promise<void> {
    const user = expectPerson(visitor)
    const shown = await this.#options.access.login({ username: user, password: present }, visitor.address)
    // In a password's place a token logs in, whosever it is.
    if (shown.user !== user || shown.credential?.kind !== 'password') {
      throw new RegistryError('UNAUTHORIZED', 'the present password is wrong')
    }
    await this.#change(visitor, (accounts) => accounts.setPassword(user, next))
  }

  async setPassword(visitor: Visitor, user: string, password: string): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.setPassword(user, password))
  }

  async addUser(visitor: Visitor, name: string, given: { password: string; admin: boolean }): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.addUser(name, given.password, given.admin))
  }

  async addOrganization(visitor: Visitor, name: string): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.addOrganization(name))
  }

  /** Of either kind, where none is said. */
  async remove(visitor: Visitor, name: string, kind?: AccountView['kind']): Promise<void> {
    const found = kind ?? (await this.get(visitor, name)).kind
    await this.#administer(visitor, (accounts) => accounts.remove(name, found))
  }

  /** Whoever logs in there and is called so is this user from then on. */
  async link(visitor: Visitor, user: string, { provider, subject }: LinkView): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.link(user, provider, subject))
  }

  async unlink(visitor: Visitor, user: string, { provider, subject }: LinkView): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.unlink(user, provider, subject))
  }

  /** Without a role: a member no more. */
  async setMember(visitor: Visitor, organization: string, user: string, role: Role | undefined): Promise<void> {
    await this.#expectOwner(visitor, organization)
    await this.#change(visitor, (accounts) => accounts.setMember(organization, user, role))
  }

  /** Without a role: the grant is taken back. `name`: a repository or a namespace. */
  async setGrant(visitor: Visitor, name: string, account: string, role: Role | undefined): Promise<void> {
    await this.#administer(visitor, (accounts) => accounts.setGrant(name, account, role))
  }

  async grants(visitor: Visitor): Promise<AccessRecords['grants']> {
    await this.#options.guard.expectAdministrator(visitor)
    return (await this.#records()).grants
  }

  /** What is public, or not, by a setting of its own. */
  async publicity(visitor: Visitor): Promise<AccessRecords['publicity']> {
    await this.#options.guard.expectAdministrator(visitor)
    return (await this.#records()).publicity
  }

  /** For those who look after the repository, or the namespace. */
  async setPublic(visitor: Visitor, name: RepositoryName, isPublic: boolean): Promise<void> {
    const { guard } = this.#options
    await (guard.isHosted(name) ? guard.expect(visitor, 'administer', name) : guard.expectAdministrator(visitor))
    await this.#change(visitor, (accounts) => accounts.setPublic(name, isPublic))
  }

  async #administer<T>(visitor: Visitor, change: (accounts: Accounts) => Promise<T>): Promise<T> {
    await this.#options.guard.expectAdministrator(visitor)
    return this.#change(visitor, change)
  }

  async #expectOwner(visitor: Visitor, owner: string): Promise<void> {
    const user = expectPerson(visitor)
    if (isOwner(await this.#records(), user, owner)) return
    await this.#options.guard.expectAdministrator(visitor)
  }

  /** What the accounts refuse is the visitor's mistake, told as they tell it. */
  async #change<T>(visitor: Visitor, change: (accounts: Accounts) => Promise<T>): Promise<T> {
    const { accountsFrom, access, workings } = this.#options
    try {
      const changed = await change(accountsFrom(visitor.identity.user, visitor.address))
      // Who asked for it may count on it from the answer on: an account has a namespace.
      await Promise.all([access.refresh(), workings.namespacesChanged()])
      return changed
    } catch (error) {
      if (!(error instanceof AccountError)) throw error
      throw new RegistryError('UNSUPPORTED', error.message, { status: 400, cause: error })
    }
  }

  #viewOf(
    { name, kind, admin, createdAt }: AccessRecords['accounts'][number],
    { members, identities }: AccessRecords,
  ): AccountView {
    const theirs = members.filter(({ organization }) => organization === name)
    return {
      ...{ name, kind, admin, createdAt },
      members: theirs.map(({ user, role }) => ({ user, role })),
      links: this.#linksOf(name, identities),
    }
  }

  #linksOf(name: string, identities: AccessRecords['identities']): LinkView[] {
    const { list } = this.#options.access.providers
    return identities
      .filter(({ user, removed }) => user === name && !removed)
      .map(({ issuer, subject }) => {
        return { provider: list.find((one) => one.issuer === issuer)?.name ?? issuer, subject }
      })
  }

  #records(): Promise<AccessRecords> {
    return this.#options.metadata.access.load()
  }
}

/** Throws UNAUTHORIZED for nobody, and DENIED for a robot: a token makes no tokens. */
function expectPerson({ identity: { user, limits, granted } }: Visitor): string {
  if (user === undefined) throw new RegistryError('UNAUTHORIZED', 'log in to see and change what is yours')
  if (limits || granted) throw new RegistryError('DENIED', 'this takes a password, or a token with the scope admin')
  return user
}

function isOwner({ members }: AccessRecords, user: string, owner: string): boolean {
  if (owner === user) return true
  return members.some((member) => member.organization === owner && member.user === user && member.role === 'owner')
}

function withoutSecret({ secretHash: _, ...token }: TokenRecord): TokenView {
  return token
}

import type { AccessMetadata, HostedMetadata, Role, TokenRecord } from '../metadata/metadata.ts'
import type { ReportAccessEvent } from './events.ts'
import { hashPassword } from './passwords.ts'
import { makeToken } from './robot-tokens.ts'
import { adminScope, parseLimit } from './scope.ts'
import { reservedNames } from './users.ts'

export interface AccountsOptions {
  metadata: { access: AccessMetadata; hosted: HostedMetadata }
  /** Names that clients call upstreams by: a namespace of such a name could never be reached. */
  isUpstream: (name: string) => boolean
  /** Users who are not in the database. */
  isOtherUser: (name: string) => boolean
  report?: ReportAccessEvent
  /** Who asks for the change, and from where. */
  by?: string
  address?: string
  now?: () => number
}

/** A change that was refused. The message says what was wanted and what was seen. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
}

/** A name is that of a namespace as well. */
const nameForm = /^[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*$/

/** Hosts the namespaces of users that others keep. A name that could be none has none. */
export async function hostNamespaces(
  hosted: HostedMetadata,
  names: readonly string[],
  now: () => number,
): Promise<void> {
  const there = new Set(await hosted.listNamespaces())
  for (const name of names) {
    if (nameForm.test(name) && !there.has(name)) await hosted.addNamespace(name, now())
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
    this.#expectName(name)
    expectPassword(password)
    await this.#add(name, 'user', admin, await hashPassword(password))
    this.#changed(name, admin ? 'added, an admin' : 'added')
  }

  async addOrganization(name: string): Promise<void> {
    this.#expectName(name)
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
    const done = await this.#options.metadata.access.setPassword(user, await hashPassword(password))
    if (!done) throw noSuch('user', user)
    this.#changed(user, 'password changed')
  }

  /** Without a role the user is a member no more. */
  async setMember(organization: string, user: string, role: Role | undefined): Promise<void> {
    if (role) await this.#expectAccount(user, ['user'])
    if (!(await this.#options.metadata.access.setMember(organization, user, role))) {
      throw noSuch('organization', organization)
    }
    this.#changed(user, `${role ?? 'no member'} in ${organization}`)
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

  #expectName(name: string): void {
    const saw = JSON.stringify(name.slice(0, 100))
    if (!nameForm.test(name) || name.length > 100) {
      throw new AccountError(`a name must be lower-case letters and digits with - or _ between them, saw ${saw}`)
    }
    if (reservedNames.includes(name)) throw new AccountError(`${name} stands for others in rules; choose another name`)
    if (this.#options.isUpstream(name))
      throw new AccountError(`${name} is what an upstream is called; choose another name`)
    if (this.#options.isOtherUser(name)) {
      throw new AccountError(`${name} is a user of the settings (access.user or access.htpasswdFile) already`)
    }
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

import type { AccessMetadata, AccessRecords, Role, TokenRecord } from '../metadata/metadata.ts'
import type { ReportAccessEvent } from './events.ts'
import { HtpasswdFile } from './htpasswd.ts'
import { operator } from './identity.ts'
import { fingerprint, hashOfSettings } from './passwords.ts'
import type { RepositoryFacts, Subject } from './policy.ts'
import { everybody, everyUser } from './policy.ts'

/** How often it is looked whether something has changed, in milliseconds: a revoked token works no longer than this. */
export const changesSeenWithin = 1_000

export interface User {
  readonly name: string
  /** As it is kept; undefined for one without a password. */
  readonly password: string | undefined
  /** Changes with the password. */
  readonly credential: string
  readonly admin: boolean
}

export interface DirectoryOptions {
  metadata: AccessMetadata
  /** An admin who stands in the settings. */
  user?: { username: string; password: string } | undefined
  htpasswdFile?: string | undefined
  /** Rules by which jobs log in as one of the accounts. */
  workloads?: readonly unknown[]
  report: ReportAccessEvent
  /** Told the users who are not in the database, at first and after each change. */
  found?: (names: readonly string[]) => Promise<void>
}

/** Names that stand for more than one in rules, and those of clients that did not log in, and of the operator in the audit log. */
export const reservedNames: readonly string[] = [everybody, everyUser, 'anonymous', operator.user]

const noRoles: ReadonlyMap<string, Role> = new Map()

/** All accounts and their rights, kept in memory: every request asks. Users of the database go before those of the file. */
export class Directory implements RepositoryFacts {
  readonly #options: DirectoryOptions
  readonly #file: HtpasswdFile | undefined
  #admin: User | undefined
  #records: AccessRecords | undefined
  #fromFile: ReadonlyMap<string, string> = new Map()
  #users = new Map<string, User>()
  #organizations = new Set<string>()
  #roles = new Map<string, Map<string, Role>>()
  #grants = new Map<string, Role>()
  #public = new Map<string, boolean>()
  #tokens = new Map<string, TokenRecord>()
  #tokenIds = new Map<string, TokenRecord>()
  #generation = 0
  #timer: NodeJS.Timeout | undefined

  private constructor(options: DirectoryOptions) {
    this.#options = options
    this.#file = options.htpasswdFile === undefined ? undefined : new HtpasswdFile(options.htpasswdFile)
  }

  /** Rejects when the database or the file cannot be read; later the last state that could be read stays in force. */
  static async open(options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(options)
    const { user } = options
    if (user) directory.#admin = admin(user.username, await hashOfSettings(user.username, user.password))
    await directory.#readFile()
    await directory.refresh()
    if (user) await options.found?.([user.username])
    return directory
  }

  /** Looks for changes from now on. */
  watch(): void {
    let looking = false
    this.#timer = setInterval(() => {
      if (looking) return
      looking = true
      void this.refresh()
        .catch(() => {})
        .then(() => this.#readFile())
        .catch((error: unknown) => this.#tell(`cannot be read, so it counts as it was: ${(error as Error).message}`))
        .finally(() => (looking = false))
    }, changesSeenWithin).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Another number after every change. */
  get generation(): number {
    return this.#generation
  }

  /** Whether anybody can log in at all. */
  get hasUsers(): boolean {
    return this.#users.size > 0 || this.#tokens.size > 0 || (this.#options.workloads ?? []).length > 0
  }

  /** Whether there is somebody who may change everything. */
  get hasAdmin(): boolean {
    return [...this.#users.values()].some((user) => user.admin)
  }

  user(name: string): User | undefined {
    return this.#users.get(name)
  }

  isOrganization(name: string): boolean {
    return this.#organizations.has(name)
  }

  isAccount(name: string): boolean {
    return this.#users.has(name) || this.#organizations.has(name)
  }

  tokenByHash(secretHash: string): TokenRecord | undefined {
    return this.#tokens.get(secretHash)
  }

  token(id: string): TokenRecord | undefined {
    return this.#tokenIds.get(id)
  }

  grant(account: string, name: string): Role | undefined {
    return this.#grants.get(`${account} ${name}`)
  }

  isPublic(name: string): boolean {
    return this.#public.get(name) ?? this.#public.get(name.split('/', 1)[0]!) ?? false
  }

  /** What is known of an account, or of nobody. A name that is no account's has no rights of its own. */
  subject(account: string | undefined): Subject {
    if (account === undefined) return { account, admin: false, roles: noRoles }
    const roles = this.#roles.get(account) ?? noRoles
    if (this.#organizations.has(account)) return { account, admin: false, roles: new Map([[account, 'owner']]) }
    return { account, admin: this.#users.get(account)?.admin === true, roles }
  }

  /** The form of password of most users here: what is compared for one that is not here must take as long. */
  get usualPassword(): string | undefined {
    const [fromFile] = this.#fromFile.values()
    return fromFile
  }

  /** Reads the database again if it has changed. */
  async refresh(): Promise<void> {
    const { metadata } = this.#options
    if (this.#records && (await metadata.version()) === this.#records.version) return
    this.#records = await metadata.load()
    this.#build()
  }

  async #readFile(): Promise<void> {
    const read = await this.#file?.readIfChanged()
    if (!read) return
    for (const problem of read.refused) this.#tell(problem)
    this.#fromFile = read.users
    await this.#options.found?.([...read.users.keys()])
    if (this.#records) this.#build()
  }

  #tell(problem: string): void {
    this.#options.report({ type: 'htpasswd-problem', message: `${this.#options.htpasswdFile}: ${problem}` })
  }

  #build(): void {
    const { accounts, members, tokens, grants, publicity } = this.#records!
    this.#organizations = new Set(accounts.filter(({ kind }) => kind === 'organization').map(({ name }) => name))
    this.#users = new Map()
    for (const [name, stored] of this.#fromFile) this.#users.set(name, user(name, stored, false))
    for (const { name, kind, password, admin } of accounts) {
      if (kind === 'user') this.#users.set(name, user(name, password, admin))
    }
    if (this.#admin) this.#users.set(this.#admin.name, this.#admin)
    for (const name of [...reservedNames, ...this.#organizations]) this.#users.delete(name)
    this.#roles = new Map()
    for (const { organization, user, role } of members) {
      const roles = this.#roles.get(user) ?? new Map<string, Role>()
      this.#roles.set(user, roles.set(organization, role))
    }
    this.#grants = new Map(grants.map(({ account, name, role }) => [`${account} ${name}`, role]))
    this.#public = new Map(publicity.map((record) => [record.name, record.public]))
    this.#tokens = new Map(tokens.map((token) => [token.secretHash, token]))
    this.#tokenIds = new Map(tokens.map((token) => [token.id, token]))
    this.#generation++
  }
}

function user(name: string, password: string | undefined, isAdmin: boolean): User {
  return { name, password, admin: isAdmin, credential: fingerprint(password ?? '') }
}

function admin(name: string, password: string): User {
  return user(name, password, true)
}

import type { Database } from 'better-sqlite3'
import {
  accessStatements,
  type AccessStatements,
  type AccountRow,
  type IdentityRow,
  type TokenRow,
} from './access-statements.ts'
import type { AccessMetadata, AccessRecords, AccountRecord, IdentityRecord, Role, TokenRecord } from './access.ts'
import type { DurableWrites } from './durable-writes.ts'

export class SqliteAccess implements AccessMetadata {
  readonly #database: Database
  readonly #sql: AccessStatements
  readonly #writes: DurableWrites

  constructor(database: Database, writes: DurableWrites) {
    this.#database = database
    this.#sql = accessStatements(database)
    this.#writes = writes
  }

  async version(): Promise<number> {
    return this.#sql.version.get()!.version
  }

  async load(): Promise<AccessRecords> {
    const sql = this.#sql
    // One transaction: all of it as it was at one moment.
    const read = this.#database.transaction(() => ({
      version: sql.version.get()!.version,
      accounts: sql.accounts.all().map(account),
      members: sql.members.all().map((row) => ({ ...row, role: row.role as Role, issuer: row.issuer ?? undefined })),
      identities: sql.identities.all().map(identity),
      tokens: sql.tokens.all().map(token),
      grants: sql.grants.all().map((row) => ({ ...row, role: row.role as Role })),
      publicity: sql.publicity.all().map((row) => ({ name: row.name, public: row.public !== 0 })),
    }))
    return read()
  }

  addAccount(account: AccountRecord): Promise<boolean> {
    return this.#change(() => this.#addAccount(account))
  }

  removeAccount(name: string): Promise<boolean> {
    return this.#change(() => {
      this.#sql.removeMemberships.run(name)
      this.#sql.removeTokensOf.run(name)
      this.#sql.removeGrantsOf.run(name)
      this.#sql.closeIdentitiesOf.run(name)
      return this.#sql.removeAccount.run(name).changes > 0
    })
  }

  setPassword(user: string, password: string): Promise<boolean> {
    return this.#change(() => this.#sql.setPassword.run(password, user).changes > 0)
  }

  setMember(organization: string, user: string, role: Role | undefined, issuer?: string): Promise<boolean> {
    return this.#change(() => {
      if (!this.#sql.findOrganization.get(organization)) return false
      if (role) this.#sql.setMember.run(organization, user, role, issuer ?? null)
      else this.#sql.removeMember.run(organization, user)
      return true
    })
  }

  setAdminBy(user: string, issuer: string | undefined): Promise<boolean> {
    return this.#change(() => this.#sql.setAdminBy.run(issuer ?? null, user).changes > 0)
  }

  addIdentity(
    { id, issuer, subject, user, addedAt }: Omit<IdentityRecord, 'removed'>,
    account?: AccountRecord,
  ): Promise<boolean> {
    return this.#change(() => {
      if (this.#sql.findIdentity.get(issuer, subject)) return false
      if (account && !this.#addAccount(account)) return false
      this.#sql.setIdentity.run(id, issuer, subject, user, addedAt)
      return true
    })
  }

  removeIdentity(id: string): Promise<boolean> {
    return this.#change(() => {
      const row = this.#sql.removeIdentity.get(id)
      if (!row) return false
      this.#sql.removeMembershipsBy.run(row.user, row.issuer)
      this.#sql.removeAdminBy.run(row.user, row.issuer)
      return true
    })
  }

  async addToken({ id, owner, name, secretHash, scopes, createdAt, expiresAt }: TokenRecord): Promise<void> {
    const text = JSON.stringify(scopes)
    await this.#change(() => this.#sql.addToken.run(id, owner, name, secretHash, text, createdAt, expiresAt ?? null))
  }

  removeToken(id: string): Promise<TokenRecord | undefined> {
    return this.#change(() => {
      const row = this.#sql.removeToken.get(id)
      return row && token(row)
    })
  }

  async setGrant(name: string, account: string, role: Role | undefined): Promise<void> {
    await this.#change(() =>
      role ? this.#sql.setGrant.run(name, account, role) : this.#sql.removeGrant.run(name, account),
    )
  }

  async setPublic(name: string, isPublic: boolean): Promise<void> {
    await this.#change(() => this.#sql.setPublic.run(name, isPublic ? 1 : 0))
  }

  #addAccount({ name, kind, password, admin, createdAt }: AccountRecord): boolean {
    return this.#sql.addAccount.run(name, kind, password ?? null, admin ? 1 : 0, createdAt).changes > 0
  }

  /** One transaction, counted as a change, whose effect is on the disk when the promise resolves. */
  #change<T>(write: () => T): Promise<T> {
    return this.#writes.run(() => {
      this.#sql.changed.run()
      return write()
    })
  }
}

function account(row: AccountRow): AccountRecord {
  const { name, kind, password, admin, admin_by: adminBy, created_at: createdAt } = row
  const isAdmin = admin !== 0 || adminBy !== null
  return {
    name,
    kind,
    password: password ?? undefined,
    admin: isAdmin,
    adminBy: admin === 0 ? (adminBy ?? undefined) : undefined,
    createdAt,
  }
}

function identity({ added_at: addedAt, removed, ...row }: IdentityRow): IdentityRecord {
  return { ...row, addedAt, removed: removed !== 0 }
}

function token(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    owner: row.owner,
    name: row.name,
    secretHash: row.secret_hash,
    scopes: JSON.parse(row.scopes) as string[],
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
  }
}

import type { Database } from 'better-sqlite3'
import { accessStatements, type AccessStatements, type AccountRow, type TokenRow } from './access-statements.ts'
import type { AccessMetadata, AccessRecords, AccountRecord, Role, TokenRecord } from './access.ts'
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
      members: sql.members.all().map((row) => ({ ...row, role: row.role as Role })),
      tokens: sql.tokens.all().map(token),
      grants: sql.grants.all().map((row) => ({ ...row, role: row.role as Role })),
      publicity: sql.publicity.all().map((row) => ({ name: row.name, public: row.public !== 0 })),
    }))
    return read()
  }

  addAccount({ name, kind, password, admin, createdAt }: AccountRecord): Promise<boolean> {
    return this.#change(
      () => this.#sql.addAccount.run(name, kind, password ?? null, admin ? 1 : 0, createdAt).changes > 0,
    )
  }

  removeAccount(name: string): Promise<boolean> {
    return this.#change(() => {
      this.#sql.removeMemberships.run(name)
      this.#sql.removeTokensOf.run(name)
      this.#sql.removeGrantsOf.run(name)
      return this.#sql.removeAccount.run(name).changes > 0
    })
  }

  setPassword(user: string, password: string): Promise<boolean> {
    return this.#change(() => this.#sql.setPassword.run(password, user).changes > 0)
  }

  setMember(organization: string, user: string, role: Role | undefined): Promise<boolean> {
    return this.#change(() => {
      if (!this.#sql.findOrganization.get(organization)) return false
      if (role) this.#sql.setMember.run(organization, user, role)
      else this.#sql.removeMember.run(organization, user)
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

  /** One transaction, counted as a change, whose effect is on the disk when the promise resolves. */
  #change<T>(write: () => T): Promise<T> {
    return this.#writes.run(() => {
      this.#sql.changed.run()
      return write()
    })
  }
}

function account(row: AccountRow): AccountRecord {
  const { name, kind, password, admin, created_at: createdAt } = row
  return { name, kind, password: password ?? undefined, admin: admin !== 0, createdAt }
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

import type { Database } from 'better-sqlite3'

export type AccessStatements = ReturnType<typeof accessStatements>

export interface AccountRow {
  name: string
  kind: 'user' | 'organization'
  password: string | null
  admin: number
  admin_by: string | null
  created_at: number
}

export interface IdentityRow {
  id: string
  issuer: string
  subject: string
  user: string
  added_at: number
  removed: number
}

export interface TokenRow {
  id: string
  owner: string
  name: string
  secret_hash: string
  scopes: string
  created_at: number
  expires_at: number | null
}

/** Every statement on accounts and their rights, prepared once. */
export function accessStatements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    version: prepare<[], { version: number }>('SELECT version FROM access_version'),
    changed: prepare<[]>('UPDATE access_version SET version = version + 1'),

    accounts: prepare<[], AccountRow>('SELECT * FROM accounts ORDER BY name'),
    members: prepare<[], { organization: string; user: string; role: string; issuer: string | null }>(
      'SELECT organization, user, role, issuer FROM members ORDER BY organization, user',
    ),
    identities: prepare<[], IdentityRow>('SELECT * FROM identities ORDER BY user, added_at, id'),
    tokens: prepare<[], TokenRow>('SELECT * FROM tokens ORDER BY owner, created_at, id'),
    grants: prepare<[], { name: string; account: string; role: string }>(
      'SELECT name, account, role FROM grants ORDER BY name, account',
    ),
    publicity: prepare<[], { name: string; public: number }>('SELECT name, public FROM publicity ORDER BY name'),

    addAccount: prepare<[string, string, string | null, number, number]>(
      'INSERT INTO accounts (name, kind, password, admin, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    removeAccount: prepare<[string]>('DELETE FROM accounts WHERE name = ?'),
    removeMemberships: prepare<[string]>('DELETE FROM members WHERE user = ?'),
    removeTokensOf: prepare<[string]>('DELETE FROM tokens WHERE owner = ?'),
    removeGrantsOf: prepare<[string]>('DELETE FROM grants WHERE account = ?'),
    setPassword: prepare<[string, string]>(`UPDATE accounts SET password = ? WHERE name = ? AND kind = 'user'`),
    findOrganization: prepare<[string]>(`SELECT 1 FROM accounts WHERE name = ? AND kind = 'organization'`),
    setMember: prepare<[string, string, string, string | null]>(
      `INSERT INTO members (organization, user, role, issuer) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET role = excluded.role, issuer = excluded.issuer`,
    ),
    removeMember: prepare<[string, string]>('DELETE FROM members WHERE organization = ? AND user = ?'),
    setAdminBy: prepare<[string | null, string]>(`UPDATE accounts SET admin_by = ? WHERE name = ? AND kind = 'user'`),

    findIdentity: prepare<[string, string]>(
      'SELECT 1 FROM identities WHERE issuer = ? AND subject = ? AND removed = 0',
    ),
    setIdentity: prepare<[string, string, string, string, number]>(
      `INSERT INTO identities (id, issuer, subject, user, added_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (issuer, subject) DO UPDATE
       SET id = excluded.id, user = excluded.user, added_at = excluded.added_at, removed = 0`,
    ),
    removeIdentity: prepare<[string], IdentityRow>('DELETE FROM identities WHERE id = ? RETURNING *'),
    removeMembershipsBy: prepare<[string, string]>('DELETE FROM members WHERE user = ? AND issuer = ?'),
    removeAdminBy: prepare<[string, string]>('UPDATE accounts SET admin_by = NULL WHERE name = ? AND admin_by = ?'),
    closeIdentitiesOf: prepare<[string]>('UPDATE identities SET removed = 1 WHERE user = ?'),

    addToken: prepare<[string, string, string, string, string, number, number | null]>(
      `INSERT INTO tokens (id, owner, name, secret_hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    removeToken: prepare<[string], TokenRow>('DELETE FROM tokens WHERE id = ? RETURNING *'),
    setGrant: prepare<[string, string, string]>(
      'INSERT INTO grants (name, account, role) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role',
    ),
    removeGrant: prepare<[string, string]>('DELETE FROM grants WHERE name = ? AND account = ?'),
    setPublic: prepare<[string, number]>(
      'INSERT INTO publicity (name, public) VALUES (?, ?) ON CONFLICT DO UPDATE SET public = excluded.public',
    ),
  }
}

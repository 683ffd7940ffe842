/** What somebody is in an organization, or may do with a repository: an owner all, a writer pull and push, a reader pull. */
export type Role = 'owner' | 'writer' | 'reader'

export interface AccountRecord {
  /** A user and an organization never have the same name. */
  readonly name: string
  readonly kind: 'user' | 'organization'
  /** A user's password as it is kept (PHC string); undefined for one who logs in another way. */
  readonly password: string | undefined
  /** May do everything. */
  readonly admin: boolean
  /** The issuer whose claims alone make it an admin; undefined where somebody here did. */
  readonly adminBy?: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

export interface MemberRecord {
  readonly organization: string
  readonly user: string
  readonly role: Role
  /** The issuer whose claims gave it; undefined where somebody here did. */
  readonly issuer?: string | undefined
}

/** A login at an OpenID provider, and whose it is. */
export interface IdentityRecord {
  /** Another one when the login is linked anew. */
  readonly id: string
  readonly issuer: string
  /** What the issuer calls it; no other login there is ever called so. */
  readonly subject: string
  readonly user: string
  /** Milliseconds since 1970. */
  readonly addedAt: number
  /** Its account was removed. */
  readonly removed: boolean
}

/** A token for robots: what it opens is what its owner may do, within its scopes. */
export interface TokenRecord {
  /** Public: tokens are listed and revoked by it. */
  readonly id: string
  /** A user or an organization. */
  readonly owner: string
  /** For people. */
  readonly name: string
  /** SHA-256 of the token, in hexadecimal digits: the token itself is nowhere. */
  readonly secretHash: string
  /** Each `PATTERN:ACTION,ACTION`. */
  readonly scopes: readonly string[]
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970; undefined for one that does not expire. */
  readonly expiresAt: number | undefined
}

export interface GrantRecord {
  /** A repository, or a namespace for all its repositories. */
  readonly name: string
  /** A user or an organization. */
  readonly account: string
  readonly role: Role
}

export interface PublicityRecord {
  /** A repository, or a namespace for those of its repositories that have no record. */
  readonly name: string
  readonly public: boolean
}

/** All that is known of who may do what, as it was at one moment. */
export interface AccessRecords {
  readonly version: number
  readonly accounts: readonly AccountRecord[]
  readonly members: readonly MemberRecord[]
  readonly identities: readonly IdentityRecord[]
  readonly tokens: readonly TokenRecord[]
  readonly grants: readonly GrantRecord[]
  readonly publicity: readonly PublicityRecord[]
}

/** Accounts and their rights. When a writing method's promise resolves, what it wrote survives a power loss. */
export interface AccessMetadata {
  /** Greater after every change, whichever process made it. */
  version(): Promise<number>
  load(): Promise<AccessRecords>

  /** False when there is an account of this name already. */
  addAccount(account: AccountRecord): Promise<boolean>
  /** With its tokens, memberships and grants; its logins elsewhere stay as removed ones. False when there was none. */
  removeAccount(name: string): Promise<boolean>
  /** False when there is no such user. */
  setPassword(user: string, password: string): Promise<boolean>
  /** Without a role: a member no more. `issuer`: whose claims say so. False when there is no such organization. */
  setMember(organization: string, user: string, role: Role | undefined, issuer?: string): Promise<boolean>
  /** Makes a user an admin by the claims of an issuer, or takes back what claims gave. False when there is no such user. */
  setAdminBy(user: string, issuer: string | undefined): Promise<boolean>
  /**
   * Links a login elsewhere to a user, whose account is added with it where one is given. False, and nothing is changed, when
   * the login is linked already, but as a removed one, or when there is an account of the name.
   */
  addIdentity(identity: Omit<IdentityRecord, 'removed'>, account?: AccountRecord): Promise<boolean>
  /** With what its issuer's claims gave the user. False when there was none. */
  removeIdentity(id: string): Promise<boolean>
  addToken(token: TokenRecord): Promise<void>
  /** The token that is gone; undefined when there was none. */
  removeToken(id: string): Promise<TokenRecord | undefined>
  /** Without a role: the grant is taken back. */
  setGrant(name: string, account: string, role: Role | undefined): Promise<void>
  setPublic(name: string, isPublic: boolean): Promise<void>
}

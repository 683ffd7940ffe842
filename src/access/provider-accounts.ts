import type { AccessMetadata, IdentityRecord } from '../metadata/metadata.ts'
import { AccountError } from './account-names.ts'
import type { Accounts } from './accounts.ts'
import type { ProviderSettings } from './provider.ts'
import type { Verdict } from './provider-rules.ts'
import { RefusedLogin } from './refused-login.ts'
import type { Directory } from './users.ts'

export interface ProviderAccountsOptions {
  metadata: AccessMetadata
  directory: Directory
  /** Changes that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
}

/** Somebody whom a provider vouches for. */
export interface Arrival {
  readonly provider: ProviderSettings
  readonly subject: string
  readonly verdict: Verdict
  readonly address: string
}

/** Whose logins at providers are, and what rights come of them. */
export class ProviderAccounts {
  readonly #options: ProviderAccountsOptions

  constructor(options: ProviderAccountsOptions) {
    this.#options = options
  }

  /** The user that it is, made if it comes for the first time; its rights are then what the claims say. Throws RefusedLogin. */
  async enter(arrival: Arrival): Promise<IdentityRecord> {
    const { directory } = this.#options
    await directory.refresh()
    const identity = (await this.#find(arrival)) ?? (await this.#add(arrival))
    await this.#setRights(identity.user, arrival)
    await directory.refresh()
    return identity
  }

  /** Takes back what came from rules that are no more. */
  async settle(providers: readonly ProviderSettings[]): Promise<void> {
    const { accounts, members } = await this.#options.metadata.load()
    const change = this.#options.accountsFrom('settings', undefined)
    const rulesOf = (issuer: string) => providers.find((provider) => provider.issuer === issuer)
    for (const { organization, user, issuer } of members) {
      const isRuled = issuer && rulesOf(issuer)?.organizations.some((rule) => rule.organization === organization)
      if (issuer !== undefined && !isRuled) await change.setMember(organization, user, undefined)
    }
    for (const { name, adminBy } of accounts) {
      if (adminBy !== undefined && !rulesOf(adminBy)?.admins.length) await change.setAdminBy(name, undefined)
    }
  }

  async #find({ provider, subject }: Arrival): Promise<IdentityRecord | undefined> {
    const { identities } = await this.#options.metadata.load()
    const found = identities.find((one) => one.issuer === provider.issuer && one.subject === subject)
    if (!found) return undefined
    if (!found.removed && this.#options.directory.user(found.user)) return found
    const message = `the account ${found.user} was removed here: an administrator can open another to you`
    throw new RefusedLogin('removed', message, { told: `berth user link NAME --oidc ${provider.name} ${subject}` })
  }

  async #add({ provider, subject, verdict, address }: Arrival): Promise<IdentityRecord> {
    const { name, claimed } = verdict
    const linking = `an administrator can link you to one (berth user link NAME --oidc ${provider.name} ${subject})`
    if (name === undefined) {
      const wanted = 'a user name here is lower-case letters and digits with - or _ between them'
      const saw = claimed === '' ? `nothing in ${provider.userClaim}` : JSON.stringify(claimed)
      throw new RefusedLogin('no user name', `${wanted}, saw ${saw}: ${linking}`)
    }
    try {
      return await this.#options.accountsFrom(`oidc ${provider.name}`, address).addLinked(name, provider.name, subject)
    } catch (error) {
      if (!(error instanceof AccountError)) throw error
      const message = `${name}, as you are called there, is taken here: if that account is yours, ${linking}`
      throw new RefusedLogin('name taken', message, { told: error.message, cause: error })
    }
  }

  /** What somebody here has given stays as it is. */
  async #setRights(user: string, { provider, verdict, address }: Arrival): Promise<void> {
    const { issuer, name } = provider
    const { accounts, members } = await this.#options.metadata.load()
    const change = this.#options.accountsFrom(`oidc ${name}`, address)
    const account = accounts.find((one) => one.name === user)
    const isAdmin = account?.adminBy !== undefined
    if (account && isAdmin !== verdict.admin && !(account.admin && !isAdmin)) {
      await change.setAdminBy(user, verdict.admin ? issuer : undefined)
    }
    const present = new Map(members.filter((one) => one.user === user).map((one) => [one.organization, one]))
    for (const [organization, role] of verdict.roles) {
      const before = present.get(organization)
      if (before && (before.issuer === undefined || (before.role === role && before.issuer === issuer))) continue
      const exists = accounts.some((one) => one.name === organization && one.kind === 'organization')
      // One that is not there yet is found at the next login.
      if (exists) await change.setMember(organization, user, role, issuer)
    }
    for (const { organization, issuer: giver } of present.values()) {
      if (giver === issuer && !verdict.roles.has(organization)) await change.setMember(organization, user, undefined)
    }
  }
}

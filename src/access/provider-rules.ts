import type { Role } from '../metadata/metadata.ts'
import { isNamespaceName } from './account-names.ts'
import { fitting, type ClaimPatterns, type IdClaims } from './claims.ts'

export interface ProviderRules {
  /** The claim that is the user name of a new account. */
  readonly userClaim: string
  /** Whom to let in: all of one of these must fit; without any, everybody whom the provider knows. */
  readonly allow: readonly ClaimPatterns[]
  /** Who is an admin. */
  readonly admins: readonly ClaimPatterns[]
  /** Who is what in which organization: the strongest role of those that fit. */
  readonly organizations: readonly {
    readonly claims: ClaimPatterns
    readonly organization: string
    readonly role: Role
  }[]
}

/** What a provider's claims come to here. */
export interface Verdict {
  readonly allowed: boolean
  /** The name of the account that a first login makes; undefined where the claim is no user name. */
  readonly name: string | undefined
  /** The claim as it came, for a message. */
  readonly claimed: string
  readonly admin: boolean
  /** By organization. */
  readonly roles: ReadonlyMap<string, Role>
}

const strength: Record<Role, number> = { reader: 1, writer: 2, owner: 3 }

/** The stronger of two roles. */
export function stronger(one: Role | undefined, other: Role): Role {
  return one && strength[one] > strength[other] ? one : other
}

/** Judges claims by the rules. */
export function judgeBy({ userClaim, allow, admins, organizations }: ProviderRules): (claims: IdClaims) => Verdict {
  const lists = { lists: true }
  const allowing = allow.map((patterns) => fitting(patterns, lists))
  const raising = admins.map((patterns) => fitting(patterns, lists))
  const joining = organizations.map(({ claims, ...gives }) => ({ ...gives, fits: fitting(claims, lists) }))
  return (given) => {
    const claims = believable(given)
    const roles = new Map<string, Role>()
    for (const { organization, role, fits } of joining) {
      if (fits(claims)) roles.set(organization, stronger(roles.get(organization), role))
    }
    const value = Object.hasOwn(claims, userClaim) ? claims[userClaim] : undefined
    const claimed = typeof value === 'string' ? value.slice(0, 200) : ''
    // Names of repositories have no capitals. Two logins that differ in them alone are two logins all the same: the second is refused.
    const name = claimed.toLowerCase()
    return {
      allowed: allowing.length === 0 || allowing.some((fits) => fits(claims)),
      name: isNamespaceName(name) ? name : undefined,
      claimed,
      admin: raising.some((fits) => fits(claims)),
      roles,
    }
  }
}

/** An e-mail address that nobody has verified is whatever somebody typed: it is as if it were not there. */
function believable(claims: IdClaims): IdClaims {
  const { email, ...others } = claims
  // Some providers write it as a text.
  const isVerified = claims.email_verified === true || claims.email_verified === 'true'
  return isVerified && typeof email === 'string' ? { ...others, email: email.toLowerCase() } : others
}

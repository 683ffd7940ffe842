// Who may do what: pure. The first thing that decides is told in words, for `berth may` and for refusals.
import { namePattern } from '../oci/pattern.ts'
import type { Role } from '../metadata/metadata.ts'
import { permits, type Limit } from './scope.ts'

/** `private`: to pull what an upstream shows only to our credentials. `administer`: to change who may do what. */
export type Action = 'pull' | 'private' | 'push' | 'delete' | 'administer'

/** For repositories that `match` fits, who may do each action; an action that is left out is left to what follows. */
export type PolicyRule = { readonly match: string } & { readonly [A in Action]?: readonly string[] | undefined }

export interface PolicySettings {
  /** What clients may do without logging in. */
  readonly anonymous: 'push' | 'pull' | 'none'
  /** Who may pull what an upstream shows only to our credentials, where no rule says so: nobody but admins, or all. */
  readonly private: 'login' | 'open'
  /** The first one that fits a repository and names the action decides. */
  readonly policy: readonly PolicyRule[]
}

/** In a rule: all, and all who logged in. No account has one of these names. */
export const everybody = 'anyone'
export const everyUser = 'users'

/** Whoever asks, and what is known of them. */
export interface Subject {
  /** A user or an organization; undefined for a client that did not log in. */
  readonly account: string | undefined
  readonly admin: boolean
  /** Organization -> what the account is there. */
  readonly roles: ReadonlyMap<string, Role>
  /** A robot's: all else is refused. */
  readonly limits?: readonly Limit[] | undefined
}

/** What is known of repositories. */
export interface RepositoryFacts {
  grant(account: string, name: string): Role | undefined
  isPublic(name: string): boolean
}

export interface Question {
  readonly who: Subject
  readonly action: Action
  readonly name: string
  /** Else it is an upstream's. */
  readonly hosted: boolean
}

export interface Verdict {
  readonly allowed: boolean
  /** Only a repository that is there can be public: one that is not answers as one that is private. */
  readonly ifThere?: true
  /** Goes on after `because`. */
  readonly why: string
}

const ranks: Record<Role, number> = { reader: 1, writer: 2, owner: 3 }
const needed: Record<Exclude<Action, 'private'>, number> = { pull: 1, push: 2, delete: 3, administer: 3 }
const roleOfRank: (Role | undefined)[] = [undefined, 'reader', 'writer', 'owner']

export class Policy {
  readonly #settings: PolicySettings
  readonly #rules: readonly { rule: PolicyRule; fits: (name: string) => boolean }[]

  constructor(settings: PolicySettings) {
    this.#settings = settings
    this.#rules = settings.policy.map((rule) => ({ rule, fits: namePattern(rule.match) }))
  }

  decide({ who, action, name, hosted }: Question, facts: RepositoryFacts): Verdict {
    if (who.limits && !permits(who.limits, name, action === 'private' ? 'pull' : action)) {
      return no('the token is not for it')
    }
    // Such a client is turned away at the door, whatever is behind it.
    if (who.account === undefined && this.#settings.anonymous === 'none') return no('access.anonymous is none')
    if (!hosted && action !== 'pull' && action !== 'private') return no('it is an upstream’s, which is only read')
    if (who.admin && !(hosted && action === 'private')) return yes(`${who.account} is an admin`)
    return (
      this.#byRule(who, action, name) ??
      (hosted ? this.#inHosted(who, action, name, facts) : this.#inUpstream(who, action))
    )
  }

  #byRule(who: Subject, action: Action, name: string): Verdict | undefined {
    for (const { rule, fits } of this.#rules) {
      const named = rule[action]
      if (!named || !fits(name)) continue
      return {
        allowed: named.some((one) => isOneOf(who, one)),
        why: `access.policy for ${rule.match} says who may ${action}`,
      }
    }
    return undefined
  }

  #inHosted(who: Subject, action: Action, name: string, facts: RepositoryFacts): Verdict {
    if (action === 'private') return no('it is no upstream’s')
    const { anonymous } = this.#settings
    if (anonymous === 'push' && action !== 'administer') return yes('access.anonymous is push')
    const { rank, why } = rightsIn(who, name, facts)
    if (rank >= needed[action]) return yes(why)
    if (action === 'pull' && facts.isPublic(name)) return { ...yes(`${name} is public`), ifThere: true }
    if (rank > 0) return no(`${why}, which is not enough`)
    return no(action === 'pull' ? `${name} is private` : 'nothing opens it')
  }

  #inUpstream(who: Subject, action: Action): Verdict {
    if (action === 'pull') return yes(who.account === undefined ? 'everybody may' : 'all who logged in may')
    if (this.#settings.private === 'open') return yes('access.private is open')
    return no('what an upstream shows only to our credentials is for those to whom access.policy opens private')
  }
}

/** The greatest role that an account has in a repository, 0 for none, and where it comes from. */
function rightsIn(who: Subject, name: string, facts: RepositoryFacts): { rank: number; why: string } {
  const { account } = who
  if (account === undefined) return { rank: 0, why: '' }
  const slash = name.indexOf('/')
  const namespace = slash < 0 ? name : name.slice(0, slash)
  if (account === namespace) return { rank: ranks.owner, why: `${namespace} is its own namespace` }
  let best = { rank: 0, why: '' }
  const consider = (rank: number, why: (role: Role) => string) => {
    const role = roleOfRank[rank]
    if (role && rank > best.rank) best = { rank, why: why(role) }
  }
  const granted = (to: string, place: string) =>
    ranks[facts.grant(to, place) ?? 'reader'] * (facts.grant(to, place) ? 1 : 0)
  const own = who.roles.get(namespace)
  if (own) consider(ranks[own], (role) => `${account} is ${role} in ${namespace}`)
  for (const place of slash < 0 ? [name] : [name, namespace]) {
    consider(granted(account, place), (role) => `${account} was made ${role} of ${place}`)
    // A member has of what was granted to the organization as much as its role there allows.
    for (const [organization, member] of who.roles) {
      const rank = Math.min(ranks[member], granted(organization, place))
      consider(rank, (role) => `${account} is ${role} of ${place} through ${organization}`)
    }
  }
  return best
}

function isOneOf(who: Subject, named: string): boolean {
  if (named === everybody) return true
  if (who.account === undefined) return false
  return named === everyUser || named === who.account || who.roles.has(named)
}

const yes = (why: string): Verdict => ({ allowed: true, why })
const no = (why: string): Verdict => ({ allowed: false, why })

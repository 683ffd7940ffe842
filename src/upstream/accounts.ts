import { namePattern } from '../oci/pattern.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Authorization } from './authorization.ts'
import type { Budget, Lane } from './budget.ts'

/** One login at an upstream, or none: `anonymous`. */
export interface Account {
  readonly name: string
  readonly authorization: Authorization
  readonly budget: Budget
  /** Whether it may be used for a repository, for a caller; undefined is Berth itself. */
  readonly serves: (name: RepositoryName | undefined, caller: string | undefined) => boolean
}

export interface AccountUse {
  name: RepositoryName | undefined
  caller: string | undefined
  lane: Lane
}

/** The accounts at one upstream, in the order in which they are used. */
export class Accounts {
  readonly #accounts: readonly Account[]

  constructor(accounts: readonly Account[]) {
    this.#accounts = accounts
  }

  /** Every account that may be used is nearly out of pulls. */
  isScarce(name: AccountUse['name'], caller: AccountUse['caller']): boolean {
    return this.#fitting(name, caller).every(({ budget }) => budget.scarce || !budget.has('pull'))
  }

  /** The first that fits and has pulls to spare, else one that has any. */
  find({ name, caller, lane }: AccountUse): Account | undefined {
    const able = this.#fitting(name, caller).filter(({ budget }) => budget.has(lane))
    return able.find(({ budget }) => !budget.scarce) ?? able[0]
  }

  /** As `find`; throws UpstreamError (rate-limited) when there is none. */
  choose(use: AccountUse): Account {
    const found = this.find(use)
    if (found) return found
    throw this.#fitting(use.name, use.caller)[0]!.budget.refusal()
  }

  #fitting(name: AccountUse['name'], caller: AccountUse['caller']): readonly Account[] {
    return this.#accounts.filter((account) => account.serves(name, caller))
  }
}

/** For whom an account is: patterns of repositories and of callers. Without callers known, only what is for all callers. */
export function servesBy(repositories: readonly string[], callers: readonly string[]): Account['serves'] {
  const names = repositories.map(namePattern)
  const whom = callers.map(namePattern)
  const forAll = callers.includes('**')
  return (name, caller) => {
    if (name !== undefined && !names.some((fits) => fits(name))) return false
    return forAll || (caller !== undefined && whom.some((fits) => fits(caller)))
  }
}

import { LRUCache } from 'lru-cache'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { PrivateRight, Soon } from '../oci/registry.ts'
import type { Identity } from './identity.ts'
import type { Action, Policy, Verdict } from './policy.ts'
import { covers } from './scope.ts'
import type { Directory } from './users.ts'

export interface GuardOptions {
  policy: Policy
  directory: Directory
  /** What clients may do without logging in. */
  anonymous: 'push' | 'pull' | 'none'
  /** Tells the repositories of this registry from those of upstreams, which nobody may change. */
  isHosted: (name: RepositoryName) => boolean
  exists: (name: RepositoryName) => Promise<boolean>
}

/** A repository, and how the client addresses it: by this its tokens name it. */
export interface AddressedRepository {
  readonly name: RepositoryName
  readonly path: string
}

/** Lets through or throws. What somebody may not see answers as what is not there. */
export class Guard {
  readonly #options: GuardOptions
  /** Hosted repositories seen to be there. */
  readonly #there = new LRUCache<RepositoryName, true>({ max: 10_000 })

  constructor(options: GuardOptions) {
    this.#options = options
  }

  /** Throws for those whom nothing at all is open to. */
  expectServed(identity: Identity): void {
    if (identity.wrong) throw wrongLogin(identity.wrong)
    if (identity.user === undefined && this.#options.anonymous === 'none') throw this.#closed()
  }

  enter(identity: Identity, asMirror: boolean): void {
    const { anonymous, directory } = this.#options
    this.expectServed(identity)
    if (identity.user !== undefined || anonymous === 'push') return
    if (asMirror || identity.granted !== undefined || !directory.hasUsers) return
    throw this.#closed()
  }

  enterCatalog(identity: Identity): void {
    this.enter(identity, false)
    if (identity.granted && !covers(identity.granted, 'registry', 'catalog', '*')) {
      throw unauthorized('the token is not for the catalog')
    }
  }

  may(identity: Identity, action: Exclude<Action, 'private'>, { name, path }: AddressedRepository): Soon<void> {
    this.expectServed(identity)
    const verdict = this.verdict(identity, action, name)
    if (!verdict.allowed) throw this.#refusal(identity, action, name, verdict)
    if (!verdict.ifThere || this.#there.has(name)) return expectCovered(identity, action, path)
    return this.#options.exists(name).then((there) => {
      // Before the token is held against it: what it says of a name must not tell one that is missing from one that is private.
      if (!there) throw this.#refusal(identity, action, name, verdict)
      this.#there.set(name, true)
      expectCovered(identity, action, path)
    })
  }

  async allows(
    identity: Identity,
    action: Exclude<Action, 'private'>,
    repository: AddressedRepository,
  ): Promise<boolean> {
    try {
      await this.may(identity, action, repository)
      return true
    } catch (error) {
      if (error instanceof RegistryError) return false
      throw error
    }
  }

  /** Whether it may be pulled from a repository that is there. */
  sees(identity: Identity, name: RepositoryName): boolean {
    if (identity.wrong || !this.verdict(identity, 'pull', name).allowed) return false
    return !identity.granted || covers(identity.granted, 'repository', name, 'pull')
  }

  lists(identity: Identity, name: RepositoryName): boolean {
    return !identity.wrong && this.verdict(identity, 'pull', name).allowed
  }

  mayReadPrivate(identity: Identity, name: RepositoryName): PrivateRight {
    if (this.verdict(identity, 'private', name).allowed) return 'granted'
    return identity.user === undefined && this.#options.directory.hasUsers ? 'after login' : 'denied'
  }

  administer(identity: Identity, local: boolean): void {
    const { directory, anonymous } = this.#options
    this.expectServed(identity)
    const { user, limits, granted } = identity
    if (identity.isOperator) return
    // A token was made for less, whoever made it.
    if (user !== undefined && !limits && !granted && directory.subject(user).admin) return
    if (user === undefined && directory.hasUsers) throw unauthorized('log in to administer this registry')
    if (user === undefined && anonymous === 'push' && local) return
    throw new RegistryError(
      'DENIED',
      `${user ?? 'nobody who did not log in'} may not administer this registry: it takes an admin's password, or a token of one with the scope admin`,
    )
  }

  verdict({ user, limits, isOperator }: Identity, action: Action, name: RepositoryName): Verdict {
    const { policy, directory, isHosted } = this.#options
    // What is an upstream's is nobody's to change.
    if (isOperator && (isHosted(name) || action === 'pull' || action === 'private')) {
      return { allowed: true, why: 'whoever commands this machine may everything' }
    }
    const subject = directory.subject(user)
    const who = limits ? { ...subject, limits } : subject
    return policy.decide({ who, action, name, hosted: isHosted(name) }, directory)
  }

  #closed(): RegistryError {
    if (this.#options.directory.hasUsers) return unauthorized('log in to use this registry')
    return new RegistryError('DENIED', 'this registry serves nobody without a login (access.anonymous is none)')
  }

  #refusal({ user }: Identity, action: Action, name: RepositoryName, { why }: Verdict): RegistryError {
    const hosted = this.#options.isHosted(name)
    if (!hosted && action !== 'pull') return upstreamOnly(action, name)
    if (user === undefined) {
      if (this.#options.directory.hasUsers) return unauthorized(`log in to ${action} ${name}`)
      if (action === 'pull') return notThere(name)
      return nobodyYet(action, name)
    }
    if (hosted && action === 'pull') return notThere(name)
    return new RegistryError('DENIED', `${user} may not ${action} ${name}: ${why}`)
  }
}

/** Throws UNAUTHORIZED for a token that was issued for something else. */
function expectCovered({ granted }: Identity, action: Action, path: string): void {
  if (granted && !covers(granted, 'repository', path, action)) {
    throw unauthorized(`the token is not for ${action} of ${path}`)
  }
}

/** The API says with it how to log in. */
function unauthorized(message: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', message)
}

function wrongLogin(wrong: 'password' | 'token'): RegistryError {
  return unauthorized(
    wrong === 'password' ? 'the user name or password is wrong' : 'the token is wrong, expired or revoked',
  )
}

function notThere(name: RepositoryName): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `there is no repository ${name} here for you`)
}

function nobodyYet(action: Action, name: RepositoryName): RegistryError {
  return new RegistryError(
    'DENIED',
    `cannot ${action} ${name}: nobody may yet. Make a user (berth user add NAME), or set access.anonymous: push for tests`,
  )
}

function upstreamOnly(action: Action, name: RepositoryName): RegistryError {
  const [upstream, first] = name.split('/')
  return new RegistryError(
    'DENIED',
    `cannot ${action} ${name}: it belongs to the upstream ${upstream}, which is only read here; ${action === 'push' ? 'push to' : 'do it at'} that registry ` +
      `itself, or host ${first} here (berth namespace add ${first})`,
  )
}

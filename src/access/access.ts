// Who is asking, and what they may do. Every route asks here first.
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import { readBasic, sameSecret } from './basic.ts'

export { guarded, type GuardOptions } from './guarded.ts'

export type Action = 'pull' | 'push' | 'delete'

export interface Identity {
  /** Undefined for a client that did not say who it is. */
  readonly user: string | undefined
  /** It said so, and what it said is wrong. */
  readonly wrong?: boolean
}

export interface AccessOptions {
  /** What clients may do without logging in. */
  anonymous: 'push' | 'pull' | 'none'
  /** The one user there is, who may do everything to what is hosted here. */
  user?: { username: string; password: string } | undefined
  /** Who may pull what an upstream shows only to our credentials: clients that logged in and may read it, or all. */
  private: 'login' | 'open'
}

export interface Access {
  /** Reads an Authorization header. Where there is no user, credentials are as good as none: some clients send them unasked. */
  identify(authorization: string | undefined): Identity
  /**
   * Whether the API may be used at all, as `GET /v2/` asks. Throws UNAUTHORIZED or DENIED. Clients learn here alone how to
   * log in, so where there is a user this asks for it; not so `asMirror`, for dockerd would answer with its Docker Hub password.
   */
  enter(identity: Identity, asMirror: boolean): void
  /** Throws UNAUTHORIZED or DENIED unless this identity may do this to this repository. */
  may(identity: Identity, action: Action, name: RepositoryName): void
  /**
   * Throws UNAUTHORIZED or DENIED unless this identity looks after the whole registry. `local`: it comes from this machine;
   * where everybody may push, that is enough.
   */
  administer(identity: Identity, local: boolean): void
  /** Whether this identity may read this repository should it be private at its upstream. */
  mayReadPrivate(identity: Identity, name: RepositoryName): boolean
}

const anonymous: Identity = { user: undefined }

/** `isHosted` tells the repositories of this registry from those of upstreams, which nobody may change. */
export function createAccess(options: AccessOptions, isHosted: (name: RepositoryName) => boolean): Access {
  const { user } = options
  const pullable = options.anonymous !== 'none'
  const pushable = options.anonymous === 'push'

  return {
    identify(authorization) {
      const given = user && readBasic(authorization)
      if (!given) return anonymous
      const right = sameSecret(given.username, user.username) && sameSecret(given.password, user.password)
      return right ? { user: user.username } : { user: undefined, wrong: true }
    },
    // Who may read which private repository of an upstream is not settled yet: nobody, unless it is open to all.
    mayReadPrivate: () => options.private === 'open',
    administer(identity, local) {
      if (identity.user !== undefined || (pushable && local)) return
      if (user) throw unauthorized(identity.wrong ? 'the user name or password is wrong' : 'log in to administer')
      throw new RegistryError('DENIED', 'nobody may administer this registry yet. Set access.user (username, password)')
    },
    enter(identity, asMirror) {
      if (identity.user !== undefined) return
      if (identity.wrong) throw unauthorized('the user name or password is wrong')
      if (user && !(asMirror && pullable) && !pushable) throw unauthorized('log in to push')
      if (!pullable) throw nobody()
    },
    may(identity, action, name) {
      if (action !== 'pull' && !isHosted(name)) throw upstreamOnly(action, name)
      if (identity.user !== undefined || (action === 'pull' ? pullable : pushable)) return
      if (user)
        throw unauthorized(identity.wrong ? 'the user name or password is wrong' : `log in to ${action} ${name}`)
      if (action === 'pull') throw nobody()
      throw new RegistryError(
        'DENIED',
        `cannot ${action} ${name}: nobody may yet. Set access.user (username, password), or access.anonymous: push for tests`,
      )
    },
  }
}

function unauthorized(message: string): RegistryError {
  const headers = { 'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"' }
  return new RegistryError('UNAUTHORIZED', message, { headers })
}

function nobody(): RegistryError {
  return new RegistryError('DENIED', 'this registry serves nobody without a login (access.anonymous is none)')
}

function upstreamOnly(action: Action, name: RepositoryName): RegistryError {
  const [upstream, first] = name.split('/')
  return new RegistryError(
    'DENIED',
    `cannot ${action} ${name}: it belongs to the upstream ${upstream}, which is only read here; ${action} to that registry ` +
      `itself, or host ${first} here (berth namespace add ${first})`,
  )
}

// Who is asking, and what they may do. Every route asks here first.
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'

export { guarded, type GuardOptions } from './guarded.ts'

export type Action = 'pull' | 'push' | 'delete'

export interface Identity {
  /** Undefined for a client that did not say who it is. */
  readonly user: string | undefined
}

export interface AccessOptions {
  /** What clients may do without logging in. */
  anonymous: 'pull' | 'none'
  /** Who may pull what an upstream shows only to our credentials: clients that logged in and may read it, or all. */
  private: 'login' | 'open'
}

export interface Access {
  /** Reads an Authorization header. Credentials nobody asked for are as good as none: some clients send empty ones. */
  identify(authorization: string | undefined): Identity
  /** Whether the API may be used at all, as `GET /v2/` asks. Throws UNAUTHORIZED or DENIED. */
  enter(identity: Identity): void
  /** Throws UNAUTHORIZED or DENIED unless this identity may do this to this repository. */
  may(identity: Identity, action: Action, name: RepositoryName): void
  /** Whether this identity may read this repository should it be private at its upstream. */
  mayReadPrivate(identity: Identity, name: RepositoryName): boolean
}

const anonymous: Identity = { user: undefined }

export function createAccess(options: AccessOptions): Access {
  const open = options.anonymous === 'pull'
  const closed = () =>
    new RegistryError('DENIED', 'this registry serves nobody without a login (access.anonymous is none)')
  return {
    identify: () => anonymous,
    // Nobody can log in yet.
    mayReadPrivate: () => options.private === 'open',
    enter() {
      if (!open) throw closed()
    },
    may(_identity, action, name) {
      if (!open) throw closed()
      if (action !== 'pull') {
        throw new RegistryError(
          'DENIED',
          `cannot ${action} ${name}: it belongs to an upstream, and upstreams are only read here; ${action} to that registry itself`,
        )
      }
    },
  }
}

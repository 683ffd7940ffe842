import type { Limit, Scope } from './scope.ts'

/** Who makes a request, and how far its credentials reach. */
export interface Identity {
  /** A user, or the organization whose robot it is; undefined for a client that did not say who it is. */
  readonly user: string | undefined
  /** It said who it is, and that is wrong. */
  readonly wrong?: 'password' | 'token'
  /** What it showed: it holds for as long as this does. */
  readonly credential?: Credential
  /** A robot's or a workload's. */
  readonly limits?: readonly Limit[]
  /** What a bearer token was issued for, as the client addresses it. */
  readonly granted?: readonly Scope[]
}

export interface Credential {
  readonly kind: 'password' | 'token' | 'workload' | 'oidc'
  /** The password's fingerprint, the token's id, that of the rule that lets a workload in, or of a login at a provider. */
  readonly id: string
}

export const anonymous: Identity = { user: undefined }

import type { Limit, Scope } from './scope.ts'

/** Who makes a request, and how far its credentials reach. */
export interface Identity {
  /** A user, or the organization whose robot it is; undefined for a client that did not say who it is. */
  readonly user: string | undefined
  /** Whoever commands this machine may everything: that is no user's, and no request from elsewhere has it. */
  readonly isOperator?: true
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

/** Works on the data folder itself, as the command line does. */
export const operator = { user: 'command line', isOperator: true } as const satisfies Identity

export const anonymous: Identity = { user: undefined }

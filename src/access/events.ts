import type { RefusalReason } from './refused-login.ts'

/** What access tells whoever listens: for the log, the audit and pages. No secret is in any of them. */
export type AccessEvent =
  /** Somebody showed who they are: by a password, a robot's token, a stored login, an ID token or a provider. Not told for every request. */
  | {
      type: 'login-succeeded'
      user: string
      by: LoginWay
      address: string | undefined
      /** A workload's or a provider's issuer, and what that calls it. */
      subject?: string
    }
  /** `user` is what the client called itself, if it did, cut to 100 characters. `subject`: as above, of one that no rule lets in. */
  | {
      type: 'login-refused'
      user: string | undefined
      why: 'wrong' | RefusalReason
      by?: LoginWay
      address: string | undefined
      subject?: string
      /** What there is to know of it for the operator. */
      message?: string
    }
  /** `by`: who did it. */
  | {
      type: 'token-created'
      user: string
      token: string
      scopes: readonly string[]
      by: string | undefined
      address: string | undefined
    }
  | { type: 'token-revoked'; user: string; token: string; by: string | undefined; address: string | undefined }
  /** An account, a membership, a grant or what is public. */
  | { type: 'user-changed'; user: string; change: string; by: string | undefined; address: string | undefined }
  /** A client asked for more than one may have. */
  | { type: 'turned-away'; why: 'at once' | 'per second' }
  /** The file of passwords cannot be read, or a line of it cannot be used. */
  | { type: 'htpasswd-problem'; message: string }

/** `oidc NAME`: at that provider. */
export type LoginWay = 'password' | 'token' | 'stored login' | 'workload' | `oidc ${string}`

export type ReportAccessEvent = (event: AccessEvent) => void

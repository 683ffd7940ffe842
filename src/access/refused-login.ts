import { RegistryError, type ErrorCode } from '../oci/errors.ts'

/** Why somebody who came from a provider is not let in. */
export type RefusalReason =
  /** It was begun elsewhere, long ago, or was ended once already. */
  | 'not begun here'
  /** The provider, or the user there, said no. */
  | 'refused there'
  /** The provider is away, does not know us, or says what cannot be right. */
  | 'provider trouble'
  | 'too many attempts'
  /** No rule of `allow` fits. */
  | 'not allowed'
  | 'no user name'
  | 'name taken'
  /** Its account was removed. */
  | 'removed'

interface RefusalFacts {
  /** For the operator: what is not for the page. No secret. */
  told?: string
  cause?: unknown
}

const answers: Record<RefusalReason, { code: ErrorCode; status: number }> = {
  'not begun here': { code: 'DENIED', status: 403 },
  'refused there': { code: 'DENIED', status: 403 },
  'provider trouble': { code: 'UNAVAILABLE', status: 503 },
  'too many attempts': { code: 'TOOMANYREQUESTS', status: 429 },
  'not allowed': { code: 'DENIED', status: 403 },
  'no user name': { code: 'DENIED', status: 403 },
  'name taken': { code: 'DENIED', status: 403 },
  removed: { code: 'DENIED', status: 403 },
}

/** A login by a provider that did not come about. The message is for the person. */
export class RefusedLogin extends RegistryError {
  readonly why: RefusalReason
  readonly told: string | undefined

  constructor(why: RefusalReason, message: string, { told, cause }: RefusalFacts = {}) {
    const { code, status } = answers[why]
    super(code, message, { status, cause })
    this.why = why
    this.told = told
  }
}

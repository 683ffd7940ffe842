/** The error codes of the OCI distribution specification, and the few that Docker's clients know beside them. */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/** One status a code; an error that needs another one says so itself (`status`). */
const statusOfCode: Record<ErrorCode, number> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 413,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 502,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
}

export interface ErrorOptions {
  cause?: unknown
  /** Put beside the message in the JSON body. */
  detail?: unknown
  /** HTTP status, where it is not the code's usual one. */
  status?: number
  /** Extra response headers, e.g. Retry-After. */
  headers?: Record<string, string>
}

/** An answer that is not the content asked for. Its message is shown to clients: what was wanted, what was seen, no secrets. */
export class RegistryError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Record<string, string>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RegistryError'
    this.code = code
    this.status = options.status ?? statusOfCode[code]
    this.detail = options.detail
    this.headers = options.headers ?? {}
  }
}

/** Why an upstream gave no usable answer. A 404 is an answer, not one of these. */
export type UpstreamFailure =
  | 'unreachable' // no connection: refused, reset, DNS, breaker open
  | 'timeout' // no headers or no progress in time
  | 'tls' // certificate or handshake
  | 'server-error' // 5xx
  | 'rate-limited' // 429
  | 'unauthorized' // 401 or 403 after a fresh token, or refused credentials
  | 'bad-answer' // wrong digest, wrong length, unparsable or oversized content

const answerTo: Record<UpstreamFailure, { code: ErrorCode; status: number; temporary: boolean }> = {
  // 502, not 503: containerd then tries its next host at once.
  unreachable: { code: 'UNAVAILABLE', status: 502, temporary: true },
  timeout: { code: 'UNAVAILABLE', status: 504, temporary: true },
  tls: { code: 'UNAVAILABLE', status: 502, temporary: true },
  'server-error': { code: 'UNAVAILABLE', status: 502, temporary: true },
  'rate-limited': { code: 'TOOMANYREQUESTS', status: 429, temporary: true },
  unauthorized: { code: 'DENIED', status: 403, temporary: false },
  'bad-answer': { code: 'UNAVAILABLE', status: 502, temporary: false },
}

/** An upstream that failed. Content that is cached is served all the same; only what is not cached shows this to a client. */
export class UpstreamError extends RegistryError {
  readonly failure: UpstreamFailure
  /** True when the same request may succeed a little later. */
  readonly temporary: boolean
  /** Milliseconds the upstream asked us to wait. */
  readonly retryAfter: number | undefined

  constructor(failure: UpstreamFailure, message: string, options: ErrorOptions & { retryAfter?: number } = {}) {
    const answer = answerTo[failure]
    const wait = options.retryAfter ?? (failure === 'rate-limited' ? 60_000 : undefined)
    const headers = wait === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(wait / 1000))) }
    super(answer.code, message, { status: answer.status, headers, ...options })
    this.name = 'UpstreamError'
    this.failure = failure
    this.temporary = answer.temporary
    this.retryAfter = options.retryAfter
  }
}

/** Whether an error says that the thing asked for does not exist, as against a failure to find out. */
export function isAbsence(error: unknown): error is RegistryError {
  return error instanceof RegistryError && !(error instanceof UpstreamError) && error.status === 404
}

/** What `ask` is answered with; undefined where it does not exist. */
export async function unlessAbsent<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

import { UpstreamError } from '../oci/errors.ts'

/** Milliseconds. */
const longestBriefWait = 1000

type Headers = Record<string, string | string[] | undefined>

/** Reads Retry-After (seconds or a date) as milliseconds from now; empty when there is none. Capped at an hour. */
export function retryAfter(headers: Headers, now: number = Date.now()): { retryAfter?: number } {
  const value = String(headers['retry-after'] ?? '').trim()
  if (value === '') return {}
  // Date.parse reads nearly anything; a date of HTTP begins with the name of a day.
  const date = /^[a-z]{3,9},? /i.test(value) ? Date.parse(value) : NaN
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : date - now
  return Number.isFinite(wait) ? { retryAfter: Math.min(3_600_000, Math.max(1000, wait)) } : {}
}

/**
 * Reads how long to wait, in milliseconds, from the body of a 429 as ghcr.io writes it:
 * `toomanyrequests: retry-after: 880.092µs, allowed: 44000/minute`. Undefined when it does not tell, or tells of more than
 * a client would wait for.
 */
export function briefWait(body: string): number | undefined {
  const [, number, unit] = /retry-after:\s*(\d{1,9}(?:\.\d{1,9})?)(ns|[µμu]s|ms|s)\b/.exec(body) ?? []
  if (number === undefined || unit === undefined) return undefined
  const wait = Number(number) * (unit === 's' ? 1000 : unit === 'ms' ? 1 : unit === 'ns' ? 0.000001 : 0.001)
  return wait <= longestBriefWait ? Math.ceil(wait) : undefined
}

/** An error status of a registry or CDN as an UpstreamError; undefined when the status is none. */
export function statusFailure(
  upstream: string,
  what: string,
  status: number,
  headers: Headers,
): UpstreamError | undefined {
  const said = `upstream ${upstream} answered ${status} for ${what}`
  if (status === 429) return new UpstreamError('rate-limited', said, retryAfter(headers))
  if (status === 401 || status === 403) {
    return new UpstreamError('unauthorized', `${said}: it does not exist there, or needs credentials that may read it`)
  }
  if (status >= 500 || status === 408) return new UpstreamError('server-error', said, retryAfter(headers))
  return undefined
}

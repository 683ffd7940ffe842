import { errorAnswer, textAnswer, type Answer, type Headers } from './answer.ts'
import type { Route } from './routes.ts'

/** A pull limit as Docker Hub's: a GET of a manifest counts, a HEAD does not, both tell what is left. */
export interface RateOptions {
  limit: number
  /** The limit, unless some are gone already. */
  remaining?: number
  /** Seconds; 21600 if not given. */
  window?: number
  /** With Retry-After in seconds, when nothing is left. */
  retryAfter?: number
  /** Hub's JSON, or the plain text of its abuse limit. */
  form?: 'json' | 'text'
  /** HEADs are refused too when nothing is left. */
  refuseHead?: boolean
}

const hubText =
  'You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limits'

export class RateLimit {
  remaining: number
  readonly #options: RateOptions

  constructor(options: RateOptions) {
    this.#options = options
    this.remaining = options.remaining ?? options.limit
  }

  /** Counts a request; an answer when it is over the limit. */
  refuse(method: string | undefined, route: Route): Answer | undefined {
    if (route.kind !== 'manifest') return undefined
    const { refuseHead, form } = this.#options
    if (this.remaining > 0) {
      if (method === 'GET') this.remaining--
      return undefined
    }
    if (method === 'HEAD' && !refuseHead) return undefined
    const headers = { ...this.headers(route), ...this.#retryAfter() }
    return form === 'text'
      ? textAnswer(429, '429 Too Many Requests', headers)
      : errorAnswer(429, 'TOOMANYREQUESTS', hubText, headers)
  }

  headers(route: Route): Headers {
    if (route.kind !== 'manifest') return {}
    const { limit, window = 21600 } = this.#options
    return {
      'ratelimit-limit': `${limit};w=${window}`,
      'ratelimit-remaining': `${this.remaining};w=${window}`,
      'docker-ratelimit-source': '192.0.2.1',
    }
  }

  #retryAfter(): Headers {
    const { retryAfter } = this.#options
    return retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  }
}

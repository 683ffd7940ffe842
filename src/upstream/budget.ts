import { UpstreamError } from '../oci/errors.ts'
import { retryAfter } from './retry.ts'

type Headers = Record<string, string | string[] | undefined>

export interface RateFigures {
  readonly remaining: number
  readonly limit: number | undefined
  /** Seconds the limit is counted over; undefined when not told. */
  readonly window: number | undefined
}

/**
 * Reads what an answer tells of a pull limit: Docker Hub's `ratelimit-remaining: 76;w=21600`, or the x-ratelimit form.
 * Undefined when it tells nothing.
 */
export function rateFigures(headers: Headers): RateFigures | undefined {
  const remaining = numberIn(headers['ratelimit-remaining'] ?? headers['x-ratelimit-remaining'])
  if (remaining === undefined) return undefined
  const limit = headers['ratelimit-limit'] ?? headers['x-ratelimit-limit']
  const [, window] = /;\s*w=(\d+)/.exec(String(limit ?? headers['ratelimit-remaining'] ?? '')) ?? []
  return { remaining, limit: numberIn(limit), window: window === undefined ? undefined : Number(window) }
}

/** How long until the limit is counted anew, in milliseconds: told as seconds from now or, by GitHub and GitLab, since 1970. */
function untilReset(headers: Headers, now: number): number | undefined {
  const reset = numberIn(headers['ratelimit-reset'] ?? headers['x-ratelimit-reset'])
  if (reset === undefined) return undefined
  const wait = reset > 1e9 ? reset * 1000 - now : reset * 1000
  return Math.min(longestReset, Math.max(firstPause, wait))
}

function numberIn(header: string | string[] | undefined): number | undefined {
  const [, digits] = /^\s*(\d+)/.exec(String(header ?? '')) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** What kind of request it is: a pull that is counted (GET of a manifest), a question that is not (HEAD of one), or another. */
export type Lane = 'pull' | 'head' | 'other'

/** What was heard is believed for this long, in milliseconds; then one request goes through and brings new figures. */
const believed = 15 * 60_000
const firstPause = 1_000
const longestPause = 60_000
const longestReset = 3_600_000

/** How many pulls one account has left at one upstream, and whether it was told to wait. */
export class Budget {
  readonly #reserve: number
  readonly #now: () => number
  readonly #upstream: string
  #figures: RateFigures | undefined
  #heardAt = 0
  #refusals = 0
  /** Until when pulls, and until when questions about manifests too, are refused here rather than there. */
  #pullsFrom = 0
  #headsFrom = 0

  constructor(upstream: string, reserve: number, now: () => number) {
    this.#upstream = upstream
    this.#reserve = reserve
    this.#now = now
  }

  /** So few are left that they are for what is not here at all. */
  get scarce(): boolean {
    const left = this.#figures?.remaining
    if (left === undefined || left > this.#reserve) return false
    const lasts = Math.min(believed, (this.#figures?.window ?? Infinity) * 1000)
    return this.#now() < this.#heardAt + lasts
  }

  /** Whether a request may go out. Blobs always may: nobody counts them, and whoever fetches them has a patience of its own. */
  has(lane: Lane): boolean {
    const now = this.#now()
    return lane === 'other' || (now >= this.#headsFrom && (lane === 'head' || now >= this.#pullsFrom))
  }

  /** Takes in what an answer tells; the figures if there are any. */
  heard(headers: Headers): RateFigures | undefined {
    const figures = rateFigures(headers)
    if (figures) {
      this.#figures = figures
      this.#heardAt = this.#now()
    }
    return figures
  }

  /** A request got through: what was refused before is over. */
  passed(lane: Lane): void {
    if (lane === 'pull') this.#refusals = 0
  }

  /** A 429: no more of this kind until the upstream's time is over, or one of ours, short at first, where it tells none. */
  refused(headers: Headers, lane: Lane): void {
    if (lane === 'other') return
    const now = this.#now()
    const spent = this.heard(headers)?.remaining === 0
    const own = spent ? longestPause : Math.min(longestPause, firstPause * 2 ** this.#refusals++)
    const until = now + (retryAfter(headers, now).retryAfter ?? untilReset(headers, now) ?? own)
    if (lane === 'pull') this.#pullsFrom = until
    else this.#headsFrom = until
  }

  /** What a client is told instead of asking. */
  refusal(): UpstreamError {
    const wait = Math.max(1000, Math.max(this.#pullsFrom, this.#headsFrom) - this.#now())
    const said = `upstream ${this.#upstream} has no more pulls for us: asking it again in ${Math.ceil(wait / 1000)} s`
    return new UpstreamError('rate-limited', said, { retryAfter: wait })
  }
}

import { UpstreamError } from '../oci/errors.ts'

const firstPause = 1_000
const longestPause = 30_000
/** An answer of 5xx may concern one repository only; this many in a row concern the host. */
const serverErrorsToOpen = 3

/**
 * Keeps clients from waiting for a host that is down: after a failure it refuses at once for a pause that doubles, then
 * lets one request try, and only one. Waiting for a host that never answers thus costs one client, not all.
 */
export class Breaker {
  readonly #now: () => number
  readonly #changed: (open: boolean) => void
  #pause = 0
  #openUntil = 0
  #serverErrors = 0
  #trying = false
  #reason = ''

  /** `changed` is told when it opens and when it closes. */
  constructor(now: () => number, changed: (open: boolean) => void = () => {}) {
    this.#now = now
    this.#changed = changed
  }

  /** Whether requests are refused, or one is trying. */
  get open(): boolean {
    return this.#openUntil !== 0
  }

  /** Throws an UpstreamError (unreachable) while open. The caller that passes when a pause ends is the one that tries. */
  check(): void {
    if (!this.open) return
    const wait = this.#openUntil - this.#now()
    if (wait > 0) {
      throw new UpstreamError('unreachable', `${this.#reason}; asking it again in ${Math.ceil(wait / 1000)} s`)
    }
    if (this.#trying) throw new UpstreamError('unreachable', `${this.#reason}; asking it again now`)
    this.#trying = true
  }

  succeeded(): void {
    const wasOpen = this.open
    this.#pause = this.#openUntil = this.#serverErrors = 0
    this.#trying = false
    if (wasOpen) this.#changed(false)
  }

  /** The request that tried was given up by whoever wanted it: the next one tries. */
  abandoned(): void {
    this.#trying = false
  }

  failed(error: UpstreamError): void {
    this.#trying = false
    if (error.failure === 'server-error') this.#serverErrors++
    const down = {
      unreachable: true,
      timeout: true,
      tls: true,
      'server-error': this.#serverErrors >= serverErrorsToOpen,
    }
    if (!down[error.failure as keyof typeof down]) return
    const wasOpen = this.open
    this.#reason = error.message
    this.#pause = Math.min(longestPause, this.#pause === 0 ? firstPause : this.#pause * 2)
    this.#openUntil = this.#now() + this.#pause
    if (!wasOpen) this.#changed(true)
  }
}

import { UpstreamError } from '../oci/errors.ts'

const firstPause = 1_000
const longestPause = 30_000
/** An answer of 5xx may concern one repository only; this many in a row concern the host. */
const serverErrorsToOpen = 3

/**
 * Keeps clients from waiting for a host that is down: after a failure it refuses at once for a pause that doubles,
 * then lets one request try. Waiting for a host that never answers thus costs one client, not all.
 */
export class Breaker {
  readonly #now: () => number
  #pause = 0
  #openUntil = 0
  #serverErrors = 0
  #reason = ''

  constructor(now: () => number) {
    this.#now = now
  }

  get open(): boolean {
    return this.#now() < this.#openUntil
  }

  /** Throws an UpstreamError (unreachable) while open. The caller that passes when a pause ends is the one that tries. */
  check(): void {
    if (this.#openUntil === 0) return
    const wait = this.#openUntil - this.#now()
    if (wait > 0) {
      throw new UpstreamError('unreachable', `${this.#reason}; asking it again in ${Math.ceil(wait / 1000)} s`)
    }
    this.#openUntil = this.#now() + this.#pause
  }

  succeeded(): void {
    this.#pause = this.#openUntil = this.#serverErrors = 0
  }

  failed(error: UpstreamError): void {
    if (error.failure === 'server-error') this.#serverErrors++
    const down = {
      unreachable: true,
      timeout: true,
      tls: true,
      'server-error': this.#serverErrors >= serverErrorsToOpen,
    }
    if (!down[error.failure as keyof typeof down]) return
    this.#reason = error.message
    this.#pause = Math.min(longestPause, this.#pause === 0 ? firstPause : this.#pause * 2)
    this.#openUntil = this.#now() + this.#pause
  }
}

import { UpstreamError } from '../../oci/errors.ts'
import type { Credentials, CredentialSource } from '../credentials.ts'

/** Credentials and how long they are good, in milliseconds since 1970. */
export interface Lent {
  readonly credentials: Credentials
  readonly until: number
}

export interface RenewedOptions {
  upstream: string
  label: string
  fetch: () => Promise<Lent>
  now: () => number
}

/** Credentials younger than this were refused for another reason than their age, in milliseconds. */
const youngest = 60_000
/** After a failure there is no new try for this long, in milliseconds. */
const pause = 10_000

/** Credentials that somebody lends for a time: kept for most of it, then fetched anew, once however many want them. */
export class Renewed implements CredentialSource {
  readonly label: string
  readonly #options: RenewedOptions
  #kept: (Lent & { from: number; renewAt: number }) | undefined
  #failed: { error: UpstreamError; until: number } | undefined
  #flight: Promise<Credentials> | undefined

  constructor(options: RenewedOptions) {
    this.#options = options
    this.label = options.label
  }

  async get(): Promise<Credentials> {
    const now = this.#options.now()
    if (this.#kept && now < this.#kept.renewAt) return this.#kept.credentials
    if (this.#failed && now < this.#failed.until) return this.#orOld(this.#failed.error)
    return (this.#flight ??= this.#fetch().finally(() => (this.#flight = undefined)))
  }

  forget(): boolean {
    if (!this.#kept || this.#options.now() - this.#kept.from < youngest) return false
    this.#kept = undefined
    return true
  }

  async #fetch(): Promise<Credentials> {
    const from = this.#options.now()
    try {
      const lent = await this.#options.fetch()
      // A tenth of their time is left for the renewal to fail in, and be tried again.
      this.#kept = { ...lent, from, renewAt: from + (lent.until - from) * 0.9 }
      this.#failed = undefined
      return lent.credentials
    } catch (cause) {
      const { upstream } = this.#options
      const message = `upstream ${upstream}: no credentials from ${this.label}: ${(cause as Error).message}`
      const error = new UpstreamError('unauthorized', message, { cause })
      this.#failed = { error, until: this.#options.now() + pause }
      return this.#orOld(error)
    }
  }

  /** Old ones are good to their end, whatever became of the renewal. */
  #orOld(error: UpstreamError): Credentials {
    if (this.#kept && this.#options.now() < this.#kept.until) return this.#kept.credentials
    throw error
  }
}

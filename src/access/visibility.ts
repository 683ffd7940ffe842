import { isAbsence, RegistryError, UpstreamError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { withinPatience } from '../oci/patience.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { PrivateRight } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface VisibilityOptions {
  upstream: string
  metadata: Metadata
  now: () => number
}

/** How long it is believed that everybody may read a repository, and that not, in milliseconds. */
const publicFor = 3_600_000
const privateFor = 300_000

/** How long a verdict whose time is over goes on when the upstream cannot say, and how long that is waited for, in milliseconds. */
const doubtedFor = 60_000
const patience = 3_000

interface Verdict {
  readonly public: boolean
  readonly checkedAt: number
}

/**
 * Which repositories of an upstream everybody could read there. What only our credentials can see is private here as
 * well. Told by asking the upstream without a login for the very thing a client wants; remembered, and asked again later.
 */
export class Visibility {
  readonly #options: VisibilityOptions
  readonly #known = new Map<RepositoryName, Verdict>()
  readonly #flights = new Flights()

  constructor(options: VisibilityOptions) {
    this.#options = options
  }

  /** Whether it is known at once that everybody may read it. */
  isKnownPublic(name: RepositoryName): boolean {
    const verdict = this.#known.get(name)
    return verdict !== undefined && verdict.public && this.#holds(verdict)
  }

  /**
   * Throws DENIED, or UNAUTHORIZED where a login may help, unless everybody may read the repository; what `ask` throws when
   * it does not exist for everybody, or when nothing can be found out and nothing was known. `ask` asks the upstream
   * without a login.
   */
  async check(name: RepositoryName, right: PrivateRight, ask: () => Promise<unknown>): Promise<void> {
    if (await this.#flights.share(name, () => this.#isPublic(name, ask))) return
    const { upstream } = this.#options
    throw new RegistryError(
      right === 'after login' ? 'UNAUTHORIZED' : 'DENIED',
      `${name} cannot be read at ${upstream} without a login, so it is for clients that logged in and may read it (private in access.policy)`,
    )
  }

  async #isPublic(name: RepositoryName, ask: () => Promise<unknown>): Promise<boolean> {
    const repository = { registry: this.#options.upstream, name }
    const before = this.#known.get(name) ?? (await this.#options.metadata.findVisibility(repository))
    if (before && this.#holds(before)) {
      this.#remember(name, before)
      return before.public
    }
    const asked = this.#ask(name, before, ask)
    return before ? withinPatience(asked, patience, () => this.#believe(name, before)) : asked
  }

  async #ask(name: RepositoryName, before: Verdict | undefined, ask: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask()
      return await this.#keep(name, true)
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'unauthorized') return this.#keep(name, false)
      // No such thing, for everybody: that says nothing of the repository's others, of which some may be kept here.
      if (isAbsence(error) && !before?.public) throw error
      if (before && (isAbsence(error) || error instanceof UpstreamError)) return this.#believe(name, before)
      throw error
    }
  }

  /** What was known goes on for a while: an upstream in trouble is not asked at every pull. */
  #believe(name: RepositoryName, verdict: Verdict): boolean {
    const checkedAt = this.#options.now() - (verdict.public ? publicFor : privateFor) + doubtedFor
    this.#remember(name, { ...verdict, checkedAt })
    return verdict.public
  }

  async #keep(name: RepositoryName, isPublic: boolean): Promise<boolean> {
    const { upstream, metadata, now } = this.#options
    const verdict = { public: isPublic, checkedAt: now() }
    this.#remember(name, verdict)
    // A disk that refuses costs one more question after the next start.
    await metadata.putVisibility({ registry: upstream, name }, verdict).catch(() => {})
    return isPublic
  }

  #remember(name: RepositoryName, verdict: Verdict): void {
    if (this.#known.size >= 10_000) this.#known.clear()
    this.#known.set(name, verdict)
  }

  #holds({ public: isPublic, checkedAt }: Verdict): boolean {
    return this.#options.now() < checkedAt + (isPublic ? publicFor : privateFor)
  }
}

import type { Access, Identity } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import { splitName, type RepositoryName } from '../oci/reference.ts'
import type { Asker } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { AdminAction, ReportAdminEvent } from './events.ts'

export type RepositoryAction = 'pull' | 'push' | 'delete' | 'administer'

/** Who looks at a page or calls the admin API. */
export interface Visitor {
  readonly identity: Identity
  /** A network address. */
  readonly address: string | undefined
  /** Whether it came from this machine, by a name of this machine: no page of the web can make a browser do that. */
  readonly local: boolean
}

/** What the guard knows of registries. */
export interface Territory {
  isHosted(name: RepositoryName): boolean
  /** Whether an upstream is asked with a login, so that it may show us what it shows nobody else. */
  hasLogin(upstream: string): boolean
}

export interface GuardOptions {
  access: Access
  metadata: Metadata
  territory: Territory
  report: ReportAdminEvent
}

/** The one place where pages and the admin API ask what a visitor may. */
export class Guard {
  readonly #access: Access
  readonly #metadata: Metadata
  readonly #territory: Territory
  readonly #report: ReportAdminEvent

  constructor({ access, metadata, territory, report }: GuardOptions) {
    this.#report = report
    this.#access = access
    this.#metadata = metadata
    this.#territory = territory
  }

  /** Tells what a visitor has done. */
  done({ identity, address }: Visitor, action: AdminAction, name: string | undefined, detail?: string): void {
    this.#report({ type: 'administered', action, user: identity.user, address, name, detail })
  }

  isHosted(name: RepositoryName): boolean {
    return this.#territory.isHosted(name)
  }

  /** Throws UNAUTHORIZED or DENIED unless this repository may be shown. */
  async expectReadable(visitor: Visitor, name: RepositoryName): Promise<void> {
    await this.expect(visitor, 'pull', name)
    if (await this.#isShown(visitor, name)) return
    throw new RegistryError('DENIED', `${name} is private at its upstream: it is for those who may read it there`)
  }

  /** The same as an answer, for lists: what may not be read is not in them. */
  async mayRead(visitor: Visitor, name: RepositoryName): Promise<boolean> {
    return (await this.may(visitor, 'pull', name)) && this.#isShown(visitor, name)
  }

  /** Whether clients without a login may pull it, as far as our own rules go. */
  isPublic(name: RepositoryName): Promise<boolean> {
    return this.may({ identity: { user: undefined }, address: undefined, local: false }, 'pull', name)
  }

  may(visitor: Visitor, action: RepositoryAction, name: RepositoryName): Promise<boolean> {
    return allows(() => this.expect(visitor, action, name))
  }

  /** Throws UNAUTHORIZED or DENIED. */
  async expect({ identity }: Visitor, action: RepositoryAction, name: RepositoryName): Promise<void> {
    await this.#access.may(identity, action, { name, path: name })
  }

  /** Throws UNAUTHORIZED or DENIED unless the visitor looks after the whole registry. */
  async expectAdministrator({ identity, local }: Visitor): Promise<void> {
    this.#access.administer(identity, local)
  }

  mayAdminister(visitor: Visitor): Promise<boolean> {
    return allows(() => this.expectAdministrator(visitor))
  }

  /** Who asks, for the registry behind a page. */
  asker({ identity, address }: Visitor, name: RepositoryName, noCache = false): Asker {
    const mayReadPrivate = this.#access.mayReadPrivate(identity, name)
    return { caller: identity.user ?? address, noCache, mayReadPrivate }
  }

  async #isShown({ identity }: Visitor, name: RepositoryName): Promise<boolean> {
    const repository = splitName(name)
    if (this.#territory.isHosted(name) || !this.#territory.hasLogin(repository.registry)) return true
    if (this.#access.mayReadPrivate(identity, name) === 'granted') return true
    const seen = await this.#metadata.findVisibility(repository)
    return seen?.public === true
  }
}

async function allows(ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (error) {
    if (error instanceof RegistryError) return false
    throw error
  }
}

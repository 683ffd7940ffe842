// What people see of the registry and do to it, beside pulling and pushing. Pages and the admin API are two ways to the same
// functions, and each of these asks access first.
import type { Access, Accounts, Action } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { AccountsAdmin } from './accounts.ts'
import { AuditAdmin } from './audit.ts'
import { CacheAdmin } from './cache.ts'
import type { ReportAdminEvent } from './events.ts'
import { ImageActions } from './image-actions.ts'
import { Images } from './images.ts'
import { NamespacesAdmin, type Naming } from './namespaces.ts'
import { Repositories } from './repositories.ts'
import { Guard, type Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

export type { AccountDetails, AccountView, TokenView } from './accounts.ts'
export type { AuditPage } from './audit.ts'
export { adminApi, type AdminApp } from './api.ts'
export { windows, type CacheView, type EvictionView, type FillView, type Totals, type Window } from './cache.ts'
export { difference, type Difference, type LayerChange } from './difference.ts'
export type { AdminEvent, NoOperatorSocket } from './events.ts'
export type { ImageConfig } from './image-config.ts'
export type { Image, ImageView, PlatformView, ReferrerView } from './images.ts'
export { pageSize, type Page } from './pages.ts'
export type { RepositoryView, Rights, TagPage, TagQuery, TagView } from './repositories.ts'
export { operatorOf, sessionCookie, visitorOf, type AdminContext, type Doorway } from './request.ts'
export type { Guard, Visitor } from './visitor.ts'
export type { Going, Problem, UpstreamState, Workings } from './workings.ts'

export interface AdminOptions {
  registry: Registry & { isHosted(name: RepositoryName): boolean; locate(address: { path: string }): RepositoryName }
  metadata: Metadata
  access: Access
  /** Whether an upstream is asked with a login, so that it may show us what it shows nobody else. */
  hasLogin: (upstream: string) => boolean
  /** Until when a cached tag that was checked then is served without asking, in milliseconds since 1970. */
  freshUntil: (name: RepositoryName, tag: Tag, checkedAt: number) => number
  workings: Workings
  naming: Naming
  /** Changes of accounts that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
  report?: ReportAdminEvent
  now?: () => number
}

/** What is asked of the rules. */
export interface Asked {
  /** A user or an organization; anonymous for who did not log in. */
  readonly user: string
  readonly action: Action
  /** As clients name it. */
  readonly name: string
}

export interface Explanation {
  readonly name: RepositoryName
  readonly allowed: boolean
  /** Only a repository that is there is public. */
  readonly ifThere: boolean
  readonly why: string
}

export interface Admin {
  readonly guard: Guard
  readonly repositories: Repositories
  readonly images: Images
  readonly actions: ImageActions
  readonly cache: CacheAdmin
  readonly accounts: AccountsAdmin
  readonly audit: AuditAdmin
  readonly namespaces: NamespacesAdmin
  /** For administrators: whether somebody may do something, and why. Throws NAME_UNKNOWN where there is no such account. */
  explain(visitor: Visitor, asked: Asked): Promise<Explanation>
  /** The one name of what somebody typed: `node` is docker.io/library/node. Throws NAME_INVALID or NAME_UNKNOWN. */
  readonly locate: (path: string) => RepositoryName
}

export function createAdmin(options: AdminOptions): Admin {
  const {
    registry,
    metadata,
    access,
    hasLogin,
    freshUntil,
    workings,
    naming,
    accountsFrom,
    report = () => {},
    now = Date.now,
  } = options
  const guard = new Guard({
    access,
    metadata,
    territory: { isHosted: (name) => registry.isHosted(name), hasLogin },
    report,
  })
  return {
    guard,
    repositories: new Repositories({ metadata, guard, freshUntil, now }),
    images: new Images({ registry, metadata, guard }),
    actions: new ImageActions({ registry, metadata, guard, workings }),
    audit: new AuditAdmin({ guard, metadata }),
    namespaces: new NamespacesAdmin({ metadata, guard, naming, now }),
    async explain(visitor, { user, action, name: path }) {
      await guard.expectAdministrator(visitor)
      const name = registry.locate({ path })
      const verdict = access.explain(user === 'anonymous' ? undefined : user, action, name)
      if (verdict) return { ...verdict, name, ifThere: verdict.ifThere ?? false }
      throw new RegistryError('NAME_UNKNOWN', `there is no user or organization ${JSON.stringify(user)}`)
    },
    accounts: new AccountsAdmin({ access, metadata, guard, accountsFrom, now }),
    cache: new CacheAdmin({ metadata, guard, workings, now }),
    locate: (path) => registry.locate({ path }),
  }
}

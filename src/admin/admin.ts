// What people see of the registry and do to it, beside pulling and pushing. Pages and the admin API are two ways to the same
// functions, and each of these asks access first.
import type { Access, Accounts } from '../access/access.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { AccountsAdmin } from './accounts.ts'
import { auditPage, type AuditPage, type AuditQuery } from './audit.ts'
import { CacheAdmin } from './cache.ts'
import { Descriptions } from './descriptions.ts'
import type { ReportAdminEvent } from './events.ts'
import { ImageActions } from './image-actions.ts'
import { Images } from './images.ts'
import { Repositories } from './repositories.ts'
import { Guard, type Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

export type { AccountDetails, AccountView, TokenView } from './accounts.ts'
export type { AuditPage } from './audit.ts'
export { adminApi } from './api.ts'
export { windows, type CacheView, type EvictionView, type FillView, type Totals, type Window } from './cache.ts'
export { difference, type Difference, type LayerChange } from './difference.ts'
export { longestShort, oneLine, type Description } from './descriptions.ts'
export type { AdminEvent } from './events.ts'
export type { ImageConfig } from './image-config.ts'
export type { Image, ImageView, PlatformView, ReferrerView } from './images.ts'
export { largestReadme } from './self-description.ts'
export type { ImageKind } from './summaries.ts'
export { pageSize, type Page } from './pages.ts'
export type { RepositoryView, Rights, TagPage, TagQuery, TagView } from './repositories.ts'
export { sessionCookie, visitorOf, type AdminContext, type Doorway } from './request.ts'
export type { Guard, Visitor } from './visitor.ts'
export type { Going, Problem, UpstreamState, Workings } from './workings.ts'

export interface AdminOptions {
  registry: Registry & { isHosted(name: RepositoryName): boolean; locate(address: { path: string }): RepositoryName }
  metadata: Metadata
  access: Access
  /** Whether an upstream is asked with a login, so that it may show us what it shows nobody else. */
  hasLogin: (upstream: string) => boolean
  /** Hosts under which clients see one upstream alone (virtualHosts). */
  hostsOf: (upstream: string) => readonly string[]
  /** Until when a cached tag that was checked then is served without asking, in milliseconds since 1970. */
  freshUntil: (name: RepositoryName, tag: Tag, checkedAt: number) => number
  workings: Workings
  /** Changes of accounts that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
  report?: ReportAdminEvent
  now?: () => number
}

export interface Admin {
  readonly guard: Guard
  readonly repositories: Repositories
  readonly descriptions: Descriptions
  readonly images: Images
  readonly actions: ImageActions
  readonly cache: CacheAdmin
  readonly accounts: AccountsAdmin
  audit(visitor: Visitor, query: AuditQuery): Promise<AuditPage>
  /** The one name of what somebody typed: `node` is docker.io/library/node. Throws NAME_INVALID or NAME_UNKNOWN. */
  readonly locate: (path: string) => RepositoryName
}

export function createAdmin(options: AdminOptions): Admin {
  const {
    registry,
    metadata,
    access,
    hasLogin,
    hostsOf,
    freshUntil,
    workings,
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
  const descriptions = new Descriptions({ registry, metadata, guard, now })
  return {
    guard,
    repositories: new Repositories({ metadata, guard, descriptions, hostsOf, freshUntil, now }),
    descriptions,
    images: new Images({ registry, metadata, guard }),
    actions: new ImageActions({ registry, metadata, guard, workings }),
    audit: (visitor, query) => auditPage({ guard, metadata }, visitor, query),
    accounts: new AccountsAdmin({ access, metadata, guard, accountsFrom }),
    cache: new CacheAdmin({ metadata, guard, workings, now }),
    locate: (path) => registry.locate({ path }),
  }
}

// What people see of the registry and do to it, beside pulling and pushing. Pages and the admin API are two ways to the same
// functions, and each of these asks access first.
import type { Access, Accounts } from '../access/access.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { AccountsAdmin } from './accounts.ts'
import { auditPage, type AuditPage, type AuditQuery } from './audit.ts'
import { CacheAdmin } from './cache.ts'
import type { ReportAdminEvent } from './events.ts'
import { ImageActions } from './image-actions.ts'
import { Images } from './images.ts'
import { Repositories } from './repositories.ts'
import { TagHistory } from './tag-history.ts'
import { Guard, type Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

export type { AccountDetails, AccountView, TokenView } from './accounts.ts'
export type { AuditPage } from './audit.ts'
export { adminApi } from './api.ts'
export { windows, type CacheView, type EvictionView, type FillView, type Totals, type Window } from './cache.ts'
export type { PinnedTag } from './pins.ts'
export { difference, type Difference, type LayerChange } from './difference.ts'
export type { AdminEvent } from './events.ts'
export type { ImageConfig } from './image-config.ts'
export type { Image, ImageView, PlatformView, ReferrerView } from './images.ts'
export { pageSize, type Page } from './pages.ts'
export type { RepositoryView, Rights, TagPage, TagQuery, TagView } from './repositories.ts'
export { sessionCookie, visitorOf, type AdminContext, type Doorway } from './request.ts'
export type { DeletedTag, HistoryMoment } from './tag-history.ts'
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
  /** Changes of accounts that somebody asks for, from an address. */
  accountsFrom: (by: string | undefined, address: string | undefined) => Accounts
  report?: ReportAdminEvent
  now?: () => number
}

export interface Admin {
  readonly guard: Guard
  readonly repositories: Repositories
  readonly images: Images
  readonly actions: ImageActions
  readonly history: TagHistory
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
  const history = new TagHistory({ registry, metadata, guard, workings, now })
  return {
    guard,
    repositories: new Repositories({ metadata, guard, freshUntil, now }),
    images: new Images({ registry, metadata, guard, history, now }),
    history,
    actions: new ImageActions({ registry, metadata, guard, workings }),
    audit: (visitor, query) => auditPage({ guard, metadata }, visitor, query),
    accounts: new AccountsAdmin({ access, metadata, guard, accountsFrom }),
    cache: new CacheAdmin({ metadata, guard, workings, now }),
    locate: (path) => registry.locate({ path }),
  }
}

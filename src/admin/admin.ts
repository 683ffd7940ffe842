// What people see of the registry and do to it, beside pulling and pushing. Pages and the admin API are two ways to the same
// functions, and each of these asks access first.
import type { Access, Accounts, Action, AskedUpstream } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import { upstreamOf, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { Packages } from '../packages/packages.ts'
import { AccountsAdmin } from './accounts.ts'
import { AuditAdmin } from './audit.ts'
import { CacheAdmin } from './cache.ts'
import { Descriptions } from './descriptions.ts'
import type { ReportAdminEvent } from './events.ts'
import { Attached } from './attached.ts'
import { ImageActions } from './image-actions.ts'
import { Images, type ImageView } from './images.ts'
import { NamespacesAdmin, type Naming } from './namespaces.ts'
import { PackageLists, type PackageComparison, type PackagesView } from './package-lists.ts'
import { Repositories } from './repositories.ts'
import type { SignaturesOf } from './signature-report.ts'
import { TagHistory } from './tag-history.ts'
import { Guard, type Visitor } from './visitor.ts'
import { WarmAdmin } from './warm.ts'
import { WebhooksAdmin } from './webhooks.ts'
import type { Workings } from './workings.ts'

export type { AccountDetails, AccountView, TokenView } from './accounts.ts'
export type { AuditPage } from './audit.ts'
export { adminApi, type AdminApp } from './api.ts'
export { windows, type CacheView, type EvictionView, type FillView, type Totals, type Window } from './cache.ts'
export type { PinnedTag } from './pins.ts'
export { difference, type Difference, type LayerChange } from './difference.ts'
export { longestShort, oneLine, type Description } from './descriptions.ts'
export type { AdminEvent, NoOperatorSocket } from './events.ts'
export type { ImageConfig } from './image-config.ts'
export type { DocumentView, ReferrerView } from './attached.ts'
export { pairOf, type Image, type ImageView, type PlatformView } from './images.ts'
export type { PackageComparison, PackageSide, PackagesView } from './package-lists.ts'
export { largestReadme } from './self-description.ts'
export type { ImageKind } from './summaries.ts'
export { pageSize, type Page } from './pages.ts'
export type { RepositoryView, Rights, TagPage, TagQuery, TagView } from './repositories.ts'
export { operatorOf, sessionCookie, visitorOf, type AdminContext, type Doorway } from './request.ts'
export type { SignatureReport, SignaturesOf } from './signature-report.ts'
export type { DeletedTag, HistoryMoment } from './tag-history.ts'
export type { Guard, Visitor } from './visitor.ts'
export type { WarmView } from './warm.ts'
export type {
  Going,
  HookState,
  Problem,
  UpstreamState,
  WaitingEvent,
  WarmListState,
  WarmRunState,
  Workings,
} from './workings.ts'

export interface AdminOptions {
  registry: Registry & { isHosted(name: RepositoryName): boolean; locate(address: { path: string }): RepositoryName }
  metadata: Metadata
  access: Access
  /** What is known of an upstream before it is asked; undefined where there is no such one. */
  rulesOf: (upstream: string) => AskedUpstream | undefined
  /** Hosts under which clients see one upstream alone (virtualHosts). */
  hostsOf: (upstream: string) => readonly string[]
  /** Until when a cached tag that was checked then is served without asking, in milliseconds since 1970. */
  freshUntil: (name: RepositoryName, tag: Tag, checkedAt: number) => number
  workings: Workings
  /** Looks for signatures. */
  signatures: SignaturesOf
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
  /** What has to hold besides, which only a request finds out. */
  readonly provided?: string
  readonly why: string
}

export interface Admin {
  readonly guard: Guard
  readonly repositories: Repositories
  readonly descriptions: Descriptions
  readonly images: Images
  readonly actions: ImageActions
  readonly history: TagHistory
  readonly cache: CacheAdmin
  readonly accounts: AccountsAdmin
  readonly warm: WarmAdmin
  readonly webhooks: WebhooksAdmin
  readonly audit: AuditAdmin
  readonly namespaces: NamespacesAdmin
  /** For administrators: whether somebody may do something, and why. Throws NAME_UNKNOWN where there is no such account. */
  explain(visitor: Visitor, asked: Asked): Promise<Explanation>
  /** The one name of what somebody typed: `node` is docker.io/library/node. Throws NAME_INVALID or NAME_UNKNOWN. */
  readonly locate: (path: string) => RepositoryName
  /** What is installed in an image that the visitor was shown. */
  packages(visitor: Visitor, view: ImageView): Promise<PackagesView>
  /** What changes between two images that the visitor was shown. */
  comparePackages(visitor: Visitor, views: readonly [ImageView, ImageView]): Promise<PackageComparison>
  stop(): void
}

export function createAdmin(options: AdminOptions): Admin {
  const {
    registry,
    metadata,
    access,
    rulesOf,
    hostsOf,
    freshUntil,
    workings,
    signatures,
    naming,
    accountsFrom,
    report = () => {},
    now = Date.now,
  } = options
  const guard = new Guard({
    access,
    metadata,
    territory: {
      isHosted: (name) => registry.isHosted(name),
      hasLogin: (upstream) => rulesOf(upstream)?.hasLogin ?? false,
    },
    report,
  })
  const history = new TagHistory({ registry, metadata, guard, workings, now })
  const descriptions = new Descriptions({ registry, metadata, guard, now })
  const packages = new Packages({ open: (digest) => workings.openBlob(digest) })
  const attached = new Attached({ registry, metadata, packages })
  const lists = new PackageLists({ packages, attached })
  return {
    guard,
    repositories: new Repositories({ metadata, guard, descriptions, hostsOf, freshUntil, now }),
    descriptions,
    images: new Images({ registry, metadata, guard, history, attached, signatures, now }),
    packages: (visitor, view) => lists.of(view.name, view, guard.asker(visitor, view.name)),
    comparePackages: (visitor, views) => lists.compare(views[0].name, views, guard.asker(visitor, views[0].name)),
    stop: () => packages.stop(),
    history,
    actions: new ImageActions({ registry, metadata, guard, workings }),
    audit: new AuditAdmin({ guard, metadata }),
    namespaces: new NamespacesAdmin({ metadata, guard, naming, workings, now }),
    async explain(visitor, { user, action, name: path }) {
      await guard.expectAdministrator(visitor)
      const name = registry.locate({ path })
      const upstream = registry.isHosted(name) ? undefined : rulesOf(upstreamOf(name))
      const explained = access.explain({ user: user === 'anonymous' ? undefined : user, action, name, upstream })
      if (explained) return { ...explained, name }
      throw new RegistryError('NAME_UNKNOWN', `there is no user or organization ${JSON.stringify(user)}`)
    },
    accounts: new AccountsAdmin({ access, metadata, guard, accountsFrom, workings, now }),
    cache: new CacheAdmin({ metadata, guard, workings, now }),
    warm: new WarmAdmin({ guard, workings }),
    webhooks: new WebhooksAdmin({ guard, workings }),
    locate: (path) => registry.locate({ path }),
  }
}

// The registry of what was pushed here. 201 means that it is on the disk: content first, then the row that says who holds it.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { namePattern } from '../oci/pattern.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Reference, RepositoryName, Tag } from '../oci/reference.ts'
import type {
  Blob,
  BlobHead,
  Manifest,
  ManifestPush,
  PushedManifest,
  Referrers,
  Registry,
  RepositoryQuery,
  TagMoment,
  TagPage,
  TagQuery,
  UploadBody,
  UploadState,
} from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { BlobStore } from '../store/store.ts'
import { Blobs } from './blobs.ts'
import { Collector, type CollectionTimes } from './collect.ts'
import type { ReportHostedEvent } from './events.ts'
import { FallbackTags } from './fallback-tags.ts'
import { Manifests } from './manifests.ts'
import { OwnedNamespaces } from './namespaces.ts'
import { Quotas, type QuotaRule } from './quotas.ts'
import type { RetentionRule } from './retention.ts'
import { Uploads } from './uploads.ts'

export type { HostedEvent } from './events.ts'
export type { CollectionTimes, Going } from './collect.ts'
export type { QuotaRule } from './quotas.ts'
export type { RetentionRule } from './retention.ts'

export interface HostedOptions {
  store: BlobStore
  metadata: Metadata
  /** Namespaces there are besides those that were added. */
  namespaces?: readonly string[]
  quotas?: readonly QuotaRule[]
  /** Patterns of REPOSITORY:TAG. */
  immutableTags?: readonly string[]
  retention?: readonly RetentionRule[]
  collection: CollectionTimes
  report?: ReportHostedEvent
  now?: () => number
}

export interface Hosted {
  readonly registry: Registry
  /** Whether the first component of a name is a namespace hosted here. */
  owns(namespace: string): boolean
  /** Takes up namespaces that were added or removed, at once; by itself it does so within a moment. */
  refreshNamespaces(): Promise<void>
  /** Collects what nothing reaches, once, or tells what would go. */
  readonly collector: Collector
  /** Begins to collect from time to time. */
  start(): void
  stop(): Promise<void>
}

export async function openHosted(options: HostedOptions): Promise<Hosted> {
  const { store, report = () => {}, now = Date.now } = options
  const metadata = options.metadata.hosted
  const quotas = new Quotas(options.quotas ?? [], metadata)
  const blobs = new Blobs({ store, metadata, quotas, report, now })
  const uploads = new Uploads({ store, metadata, quotas, now })
  const immutablePatterns = (options.immutableTags ?? []).map(namePattern)
  const immutable = (name: RepositoryName, tag: string) => immutablePatterns.some((fits) => fits(`${name}:${tag}`))
  const fallbackTags = new FallbackTags(metadata, now)
  const manifests = new Manifests({ metadata, quotas, fallbackTags, immutable, report, now })
  const collector = new Collector({
    metadata,
    blobs,
    uploads,
    manifests,
    immutable,
    retention: options.retention ?? [],
    times: options.collection,
    report,
    now,
  })
  const owned = new OwnedNamespaces(metadata, options.namespaces ?? [])
  await owned.load()
  return {
    registry: new HostedRegistry(options.metadata, blobs, uploads, manifests),
    owns: (namespace) => owned.has(namespace),
    refreshNamespaces: () => owned.refresh(),
    collector,
    start: () => collector.start(),
    async stop() {
      owned.stop()
      await collector.stop()
      await uploads.close()
    },
  }
}

class HostedRegistry implements Registry {
  readonly #metadata: Metadata
  readonly #blobs: Blobs
  readonly #uploads: Uploads
  readonly #manifests: Manifests

  constructor(metadata: Metadata, blobs: Blobs, uploads: Uploads, manifests: Manifests) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#uploads = uploads
    this.#manifests = manifests
  }

  getManifest(name: RepositoryName, reference: Reference): Promise<Manifest> {
    return this.#manifests.get(name, reference)
  }
  headManifest(name: RepositoryName, reference: Reference): Promise<Manifest> {
    return this.#manifests.get(name, reference)
  }
  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange): Promise<Blob> {
    return this.#blobs.get(name, digest, range)
  }
  headBlob(name: RepositoryName, digest: Digest): Promise<BlobHead> {
    return this.#blobs.head(name, digest)
  }
  async listTags(name: RepositoryName, query: TagQuery): Promise<TagPage> {
    const { hosted } = this.#metadata
    if (!(await hosted.hasRepository(name)))
      throw new RegistryError('NAME_UNKNOWN', `there is no repository ${name} here`)
    return hosted.listTags(name, query)
  }
  async listReferrers(name: RepositoryName, digest: Digest): Promise<Referrers> {
    return { descriptors: await this.#metadata.hosted.listReferrers(name, digest) }
  }
  tagHistory(name: RepositoryName, tag: Tag): Promise<TagMoment[]> {
    return this.#metadata.hosted.tagHistory(name, tag)
  }

  openUpload(name: RepositoryName, size?: number): Promise<UploadState> {
    return this.#uploads.open(name, size)
  }
  uploadState(name: RepositoryName, session: string): Promise<UploadState> {
    return this.#uploads.state(name, session)
  }
  appendUpload(name: RepositoryName, session: string, body: UploadBody): Promise<UploadState> {
    return this.#uploads.append(name, session, body)
  }
  finishUpload(name: RepositoryName, session: string, digest: Digest, body?: UploadBody): Promise<void> {
    return this.#uploads.finish(name, session, digest, body)
  }
  cancelUpload(name: RepositoryName, session: string): Promise<void> {
    return this.#uploads.cancel(name, session)
  }
  mountBlob(name: RepositoryName, digest: Digest, mayRead: (source: RepositoryName) => boolean): Promise<boolean> {
    return this.#blobs.mount(name, digest, mayRead)
  }
  putManifest(name: RepositoryName, push: ManifestPush): Promise<PushedManifest> {
    return this.#manifests.put(name, push)
  }
  deleteManifest(name: RepositoryName, reference: Reference, by?: string): Promise<void> {
    return this.#manifests.delete(name, reference, by)
  }
  deleteBlob(name: RepositoryName, digest: Digest): Promise<void> {
    return this.#blobs.delete(name, digest)
  }
  listRepositories(query: RepositoryQuery): Promise<RepositoryName[]> {
    return this.#metadata.hosted.listRepositories(query)
  }
}

import { LRUCache } from 'lru-cache'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { Manifest, ManifestPush, PushedManifest } from '../oci/registry.ts'
import type { HostedManifest, HostedMetadata, PutResult } from '../metadata/metadata.ts'
import type { ReportHostedEvent } from './events.ts'
import type { FallbackTags } from './fallback-tags.ts'
import { readPush } from './manifest-checks.ts'
import { namespaceOf } from './names.ts'
import { overQuotaOfTags, type Quotas } from './quotas.ts'

export interface ManifestsOptions {
  metadata: HostedMetadata
  quotas: Quotas
  fallbackTags: FallbackTags
  /** Whether a tag, once set, stays what it is. */
  immutable: (name: RepositoryName, tag: Tag) => boolean
  report: ReportHostedEvent
  now: () => number
}

/** The manifests and tags of hosted repositories. */
export class Manifests {
  readonly #options: ManifestsOptions
  // What a tag means is always asked of the database; what a digest means never changes.
  readonly #hot = new LRUCache<string, Manifest>({
    max: 20_000,
    maxSize: 64 * 1024 * 1024,
    sizeCalculation: (manifest) => manifest.size + 500,
  })

  constructor(options: ManifestsOptions) {
    this.#options = options
  }

  async get(name: RepositoryName, reference: Reference): Promise<Manifest> {
    const { metadata, now } = this.#options
    const digest = isTag(reference) ? await metadata.findTag(name, reference) : reference
    const found = digest && (await this.#find(name, digest))
    if (!found) return this.#unknown(name, reference)
    if (!isTag(reference)) metadata.touched(name, found.digest, now())
    return found
  }

  async put(name: RepositoryName, push: ManifestPush): Promise<PushedManifest> {
    const { metadata, quotas, fallbackTags, report, now } = this.#options
    const manifest = readPush(push)
    const admission = await quotas.admit(namespaceOf(name), manifest.bytes.length)
    try {
      const tags = {
        tags: isTag(push.reference) ? [push.reference, ...push.tags] : push.tags,
        immutable: (tag: Tag) => this.#options.immutable(name, tag),
        maxTags: quotas.maxTags(namespaceOf(name)),
        by: push.by,
      }
      expectDone(await metadata.putManifest(name, manifest, tags, now()), name, tags.maxTags)
      const { digest } = manifest
      for (const tag of tags.tags) report({ type: 'tag-pushed', repository: name, tag, digest })
      if (manifest.subject) await fallbackTags.add(name, manifest.subject, descriptorOf(manifest))
    } finally {
      admission.release()
    }
    return { digest: manifest.digest, subject: manifest.subject }
  }

  async delete(name: RepositoryName, reference: Reference, by?: string): Promise<void> {
    const { metadata, report, now } = this.#options
    const tags = isTag(reference) ? [reference] : await metadata.listTagsOf(name, reference)
    const fixed = tags.find((tag) => this.#options.immutable(name, tag))
    if (fixed) throw immutableTag(name, fixed)
    if (isTag(reference)) {
      const digest = await metadata.findTag(name, reference)
      if (!digest || !(await metadata.deleteTag(name, reference, now(), by))) return this.#unknown(name, reference)
      return report({ type: 'tag-deleted', repository: name, tag: reference, digest })
    }
    const subject = await metadata.findSubject(name, reference)
    if (!(await metadata.deleteManifest(name, reference, now(), by))) return this.#unknown(name, reference)
    this.forget(name, reference)
    for (const tag of tags) report({ type: 'tag-deleted', repository: name, tag, digest: reference })
    if (subject) await this.#options.fallbackTags.remove(name, subject, reference)
  }

  /** After a manifest has gone. */
  forget(name: RepositoryName, digest: Digest): void {
    this.#hot.delete(`${name}@${digest}`)
  }

  /** What is kept in memory may have been collected by another process since. */
  async #find(name: RepositoryName, digest: Digest): Promise<Manifest | undefined> {
    const hot = this.#hot.get(`${name}@${digest}`)
    if (hot && (await this.#options.metadata.hasManifest(name, digest))) return hot
    return this.#read(name, digest)
  }

  async #read(name: RepositoryName, digest: Digest): Promise<Manifest | undefined> {
    const found = await this.#options.metadata.findManifest(name, digest)
    if (!found) return undefined
    const manifest = { ...found, size: found.bytes.length }
    this.#hot.set(`${name}@${digest}`, manifest)
    return manifest
  }

  async #unknown(name: RepositoryName, reference: Reference): Promise<never> {
    if (!(await this.#options.metadata.hasRepository(name))) {
      throw new RegistryError('NAME_UNKNOWN', `there is no repository ${name} here: nothing was pushed to it`)
    }
    throw new RegistryError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`, { detail: { reference } })
  }
}

function descriptorOf(manifest: HostedManifest): Descriptor {
  const { mediaType, digest, bytes, artifactType, annotations } = manifest
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  }
}

function expectDone(result: PutResult, name: RepositoryName, maxTags: number): void {
  if ('done' in result) return
  if ('immutable' in result) throw immutableTag(name, result.immutable)
  if ('tooManyTags' in result) throw overQuotaOfTags(namespaceOf(name), maxTags, result.tooManyTags)
  if ('missing' in result) {
    const digests = result.missing
    const message = `push what a manifest names before the manifest: ${name} lacks ${digests.slice(0, 3).join(', ')}${digests.length > 3 ? ', ...' : ''}`
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', message, { detail: digests.map((digest) => ({ digest })) })
  }
  const { wrongSize, size, stored } = result
  throw new RegistryError(
    'MANIFEST_INVALID',
    `the size of ${wrongSize} must be ${stored} as in the blob that was pushed, saw ${size}`,
  )
}

function immutableTag(name: RepositoryName, tag: Tag): RegistryError {
  return new RegistryError('DENIED', `${name}:${tag} is immutable here (hosted.immutableTags): push another tag`)
}

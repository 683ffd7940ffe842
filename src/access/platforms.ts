// A registry that shows only images for certain platforms. What an image runs on stands in its config, whatever an index says
// of it; indexes are shown whole, for clients choose from them.
import type { Digest } from '../oci/digest.ts'
import { RegistryError, UpstreamError } from '../oci/errors.ts'
import { readManifest } from '../oci/manifest.ts'
import { anyPlatform, chosenPlatforms, platformOf, type Platform } from '../oci/platform.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Reference, RepositoryName, Tag } from '../oci/reference.ts'
import type { Asker, Manifest, RegistryReader, TagQuery } from '../oci/registry.ts'
import { readWhole } from '../oci/whole-blob.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { bounded } from './bounded.ts'

export interface PlatformRules {
  /** Patterns of OS/ARCHITECTURE[/VARIANT]; all others are refused where there is one. */
  readonly allowPlatforms: readonly string[]
  /** Patterns that are refused, also where `allowPlatforms` fits. */
  readonly denyPlatforms: readonly string[]
}

export interface PlatformOptions {
  upstream: string
  registry: RegistryReader
  rules: PlatformRules
  metadata: Metadata
}

/** A config that is larger is none of an image, in bytes. */
const largestConfig = 4 * 1024 * 1024

/** Nothing is in the way where there is no rule: then the registry is returned as it is. */
export function platformed(options: PlatformOptions): RegistryReader {
  const { allowPlatforms, denyPlatforms } = options.rules
  return allowPlatforms.length + denyPlatforms.length > 0 ? new PlatformRegistry(options) : options.registry
}

class PlatformRegistry implements RegistryReader {
  readonly #options: PlatformOptions
  readonly #allows: (platform: Platform) => boolean
  readonly #denies: (platform: Platform) => boolean
  /** By name and digest: manifests that may be had, and the blobs they name. */
  readonly #permitted = bounded<true>(100_000)

  constructor(options: PlatformOptions) {
    this.#options = options
    this.#allows = chosenPlatforms(options.rules.allowPlatforms)
    this.#denies = anyPlatform(options.rules.denyPlatforms)
  }

  async getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Promise<Manifest> {
    const manifest = await this.#options.registry.getManifest(name, reference, asker)
    await this.#check(name, manifest)
    return manifest
  }

  /** A HEAD is told what a GET would be: only the content tells the platform. */
  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Promise<Manifest> {
    return this.getManifest(name, reference, asker)
  }

  async getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker) {
    await this.#checkBlob(name, digest, asker)
    return this.#options.registry.getBlob(name, digest, range, asker)
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker) {
    await this.#checkBlob(name, digest, asker)
    return this.#options.registry.headBlob(name, digest, asker)
  }

  listTags(name: RepositoryName, query: TagQuery, asker?: Asker) {
    return this.#options.registry.listTags(name, query, asker)
  }

  listReferrers(name: RepositoryName, digest: Digest, asker?: Asker) {
    return this.#options.registry.listReferrers(name, digest, asker)
  }

  async tagHistory(name: RepositoryName, tag: Tag, asker?: Asker) {
    return (await this.#options.registry.tagHistory?.(name, tag, asker)) ?? []
  }

  /** Throws DENIED for an image of a platform that may not be pulled; notes the blobs of one that may. */
  async #check(name: RepositoryName, manifest: Manifest): Promise<void> {
    const key = keyOf(name, manifest.digest)
    if (this.#permitted.get(key)) return
    const { config, layers } = readManifest(manifest.bytes)
    const platform = config && (await this.#platformIn(name, config))
    if (platform !== undefined) this.#expectAllowed(name, platform)
    const named = [...(config ? [config] : []), ...layers].map(({ digest }) => digest)
    for (const digest of named) this.#permitted.set(keyOf(name, digest), true)
    this.#permitted.set(key, true)
    const { metadata, upstream } = this.#options
    // What the disk cannot take is noted again after the next start.
    await metadata.signatures.putContents({ registry: upstream, name }, manifest.digest, named).catch(() => {})
  }

  #expectAllowed(name: RepositoryName, platform: Platform): void {
    const denied = this.#denies(platform)
    if (!denied && this.#allows(platform)) return
    const { upstream } = this.#options
    const why = denied ? 'denyPlatforms' : 'no pattern of allowPlatforms fits'
    throw new RegistryError(
      'DENIED',
      `images of ${name} for ${platform} may not be pulled from ${upstream} here (${why})`,
    )
  }

  /** A blob goes by the manifests that name it: clients ask for those first. */
  async #checkBlob(name: RepositoryName, digest: Digest, asker: Asker | undefined): Promise<void> {
    if (this.#permitted.get(keyOf(name, digest))) return
    const { metadata, upstream, registry } = this.#options
    for (const manifest of await metadata.signatures.manifestsNaming({ registry: upstream, name }, digest)) {
      try {
        return await this.#check(name, await registry.getManifest(name, manifest, asker))
      } catch (error) {
        if (!(error instanceof RegistryError) || error instanceof UpstreamError) throw error
      }
    }
    const why = 'no image that may be pulled is known to name it: ask for its manifest first'
    throw new RegistryError('DENIED', `${name}@${digest} may not be pulled from ${upstream} here (${why})`)
  }

  /** The platform that a config names; undefined for what is no image's config, such as an artifact's. */
  async #platformIn(name: RepositoryName, config: { digest: Digest; size: number }): Promise<Platform | undefined> {
    // For our own sake: nobody pulls the image yet. Whether the asker may see the repository was settled by its manifest.
    const read = async () => readWhole(await this.#options.registry.getBlob(name, config.digest), largestConfig)
    const bytes = config.size > largestConfig ? undefined : await read()
    if (!bytes) throw new RegistryError('DENIED', `the config of an image of ${name} is too large`)
    try {
      return platformOf(JSON.parse(bytes.toString()))
    } catch {
      return undefined
    }
  }
}

const keyOf = (name: RepositoryName, digest: Digest): string => `${name}@${digest}`

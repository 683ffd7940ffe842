// A registry that shows only what rules allow, and what is private at its upstream only to those who may see it.
import { algorithmOf, digestOf, type Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import { isTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type {
  Asker,
  Manifest,
  ManifestHead,
  RegistryReader,
  Soon,
  TagMoment,
  TagPage,
  TagQuery,
} from '../oci/registry.ts'
import { pageOf } from '../oci/tag-page.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { Reach } from './reach.ts'
import { Rules, type ContentRules } from './rules.ts'
import { Visibility } from './visibility.ts'

export interface GuardOptions {
  upstream: string
  registry: RegistryReader
  rules: ContentRules
  metadata: Metadata
  /** The upstream without a login; undefined where there is no login, and so nothing that others could not see. */
  anonymous?: RegistryReader | undefined
  now?: () => number
}

/** Nothing is in the way where neither rules nor a login are: then the registry is returned as it is. */
export function guarded(options: GuardOptions): RegistryReader {
  const rules = new Rules(options.upstream, options.rules)
  return rules.used || options.anonymous ? new GuardedRegistry(options, rules) : options.registry
}

class GuardedRegistry implements RegistryReader {
  readonly #options: GuardOptions
  readonly #rules: Rules
  readonly #visibility: Visibility
  readonly #reach: Reach

  constructor(options: GuardOptions, rules: Rules) {
    const { upstream, metadata, now = Date.now } = options
    this.#options = options
    this.#rules = rules
    this.#reach = new Reach({ ...options, rules })
    this.#visibility = new Visibility({ upstream, metadata, now })
  }

  getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const get = () => this.#options.registry.getManifest(name, reference, asker)
    const found = after(this.#mayRead(name, reference, asker), get)
    return this.#rules.tellsTags(name) ? this.#noted(name, reference, found) : found
  }

  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<ManifestHead> {
    // What a manifest names has to be known: a HEAD is told what a GET would be.
    if (this.#rules.tellsTags(name)) return this.getManifest(name, reference, asker)
    return after(this.#mayRead(name, reference, asker), () =>
      this.#options.registry.headManifest(name, reference, asker),
    )
  }

  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker) {
    return after(this.#mayReadBlob(name, digest, asker), () =>
      this.#options.registry.getBlob(name, digest, range, asker),
    )
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker) {
    await this.#mayReadBlob(name, digest, asker)
    return this.#options.registry.headBlob(name, digest, asker)
  }

  async listTags(name: RepositoryName, query: TagQuery, asker?: Asker): Promise<TagPage> {
    await this.#maySee(name, asker, (open) => open.listTags(name, { n: 1 }))
    if (!this.#rules.tellsTags(name)) return this.#options.registry.listTags(name, query, asker)
    const { tags } = await this.#options.registry.listTags(name, {}, asker)
    const permitted = tags.filter((tag) => this.#rules.permits(name, tag))
    return pageOf(permitted, query)
  }

  async listReferrers(name: RepositoryName, digest: Digest, asker?: Asker) {
    await this.#mayRead(name, digest, asker)
    return this.#options.registry.listReferrers(name, digest, asker)
  }

  async tagHistory(name: RepositoryName, tag: Tag, asker?: Asker): Promise<TagMoment[]> {
    await this.#mayRead(name, tag, asker)
    return (await this.#options.registry.tagHistory?.(name, tag, asker)) ?? []
  }

  /** Throws or rejects with why not; undefined when it is clear at once that nothing is in the way. */
  #mayRead(name: RepositoryName, reference: Reference, asker: Asker | undefined): Promise<void> | undefined {
    if (isTag(reference)) this.#rules.checkTag(name, reference)
    const seen = this.#maySee(name, asker, (open, there) => Promise.resolve(open.headManifest(there, reference)))
    if (isTag(reference) || !this.#rules.tellsTags(name)) return seen
    return inTurn(seen, () => this.#reach.checkManifest(name, reference, asker))
  }

  #mayReadBlob(name: RepositoryName, digest: Digest, asker: Asker | undefined): Promise<void> | undefined {
    const seen = this.#maySee(name, asker, (open, there) => open.headBlob(there, digest))
    return this.#rules.tellsTags(name) ? inTurn(seen, () => this.#reach.checkBlob(name, digest, asker)) : seen
  }

  async #noted(name: RepositoryName, reference: Reference, found: Soon<Manifest>): Promise<Manifest> {
    const manifest = await found
    // Tags lead to digests of one algorithm; by another one the same content is no other.
    if (!isTag(reference) && algorithmOf(reference) !== 'sha256') {
      await this.#reach.checkManifest(name, digestOf(manifest.bytes))
    }
    await this.#reach.note(name, manifest, isTag(reference))
    return manifest
  }

  #maySee(
    name: RepositoryName,
    asker: Asker | undefined,
    ask: (open: RegistryReader, name: RepositoryName) => Promise<unknown>,
  ): Promise<void> | undefined {
    this.#rules.checkName(name)
    const { anonymous } = this.#options
    if (!anonymous || !asker || asker.mayReadPrivate === 'granted') return undefined
    if (this.#visibility.isKnownPublic(name)) return undefined
    return this.#visibility.check(name, asker.mayReadPrivate, () => ask(anonymous, name))
  }
}

async function inTurn(first: Promise<void> | undefined, second: () => Promise<void>): Promise<void> {
  await first
  await second()
}

function after<T>(waited: Promise<void> | undefined, then: () => Soon<T>): Soon<T> {
  return waited ? waited.then(then) : then()
}

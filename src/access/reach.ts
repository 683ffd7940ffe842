import type { Digest } from '../oci/digest.ts'
import { RegistryError, unlessAbsent, UpstreamError } from '../oci/errors.ts'
import { findContent, partsOf } from '../oci/manifest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Asker, Manifest, RegistryReader } from '../oci/registry.ts'
import type { Metadata, RepositoryKey } from '../metadata/metadata.ts'
import { bounded } from './bounded.ts'
import type { Rules } from './rules.ts'

export interface ReachOptions {
  upstream: string
  registry: RegistryReader
  rules: Rules
  metadata: Metadata
}

/** `unknown`: no tag is known to lead to it. */
type Verdict = 'permitted' | 'denied' | 'unknown'

/** Denied tags of a repository whose meaning is looked up, at most. */
const mostTags = 20
/** How far up manifests that name a digest are followed. */
const deepest = 3

/**
 * Where rules tell tags of a repository apart, a digest goes by the tags that lead to it: those that mean it, or mean a
 * manifest that names it. A blob goes by its manifests.
 */
export class Reach {
  readonly #options: ReachOptions
  readonly #permitted = bounded<true>(50_000)
  /** Which manifests name a digest, as far as it was seen lately: it must hold when the disk is full, too. */
  readonly #naming = bounded<Set<Digest>>(50_000)
  readonly #noted = bounded<true>(10_000)

  constructor(options: ReachOptions) {
    this.#options = options
  }

  /** Notes what a manifest names that a client gets; and that it may be had, where it was asked for by an allowed tag. */
  async note(name: RepositoryName, manifest: Manifest, byTag: boolean): Promise<void> {
    const key = keyOf(name, manifest.digest)
    if (byTag) this.#permitted.set(key, true)
    if (this.#noted.has(key)) return
    const content = findContent(manifest.bytes)
    const named = content ? partsOf(content).map(({ digest }) => digest) : []
    for (const digest of named) {
      const naming = this.#naming.get(keyOf(name, digest)) ?? new Set()
      this.#naming.set(keyOf(name, digest), naming.add(manifest.digest))
    }
    this.#noted.set(key, true)
    // What the disk cannot take is noted again after the next start.
    await this.#options.metadata.signatures.putContents(this.#repository(name), manifest.digest, named).catch(() => {})
  }

  /**
   * Throws DENIED. What no tag is known to lead to is refused where tags are allowed, unless it is attached to what they lead
   * to; else it is compared with what denied tags mean.
   */
  async checkManifest(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> {
    let verdict = await this.#judge(name, digest)
    if (verdict === 'unknown') {
      if (this.#options.rules.needsTag(name)) return this.#checkSubject(name, digest, asker)
      await this.#lookUpDenied(name, asker)
      verdict = await this.#judge(name, digest)
    }
    if (verdict === 'denied') throw this.#refusal(name, digest, 'only tags that may not be pulled lead to it')
  }

  /** Throws DENIED unless a manifest names the blob that may be pulled. */
  async checkBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> {
    if ((await this.#judge(name, digest)) === 'permitted') return
    for (const manifest of await this.#namedBy(name, digest)) {
      try {
        return await this.checkManifest(name, manifest, asker)
      } catch (error) {
        if (!(error instanceof RegistryError) || error instanceof UpstreamError) throw error
      }
    }
    throw this.#refusal(name, digest, 'no manifest that may be pulled is known to name it: ask for the manifest first')
  }

  async #judge(name: RepositoryName, digest: Digest, depth = 1): Promise<Verdict> {
    const key = keyOf(name, digest)
    if (this.#permitted.get(key)) return 'permitted'
    const tags = await this.#options.metadata.tagsOf(this.#repository(name), digest)
    if (tags.some((tag) => this.#options.rules.permits(name, tag))) return this.#permit(key)
    const verdicts = new Set<Verdict>()
    for (const manifest of depth < deepest ? await this.#namedBy(name, digest) : []) {
      verdicts.add(await this.#judge(name, manifest, depth + 1))
    }
    if (verdicts.has('permitted')) return this.#permit(key)
    if (tags.length > 0) return 'denied'
    return verdicts.has('denied') && !verdicts.has('unknown') ? 'denied' : 'unknown'
  }

  #permit(key: string): Verdict {
    this.#permitted.set(key, true)
    return 'permitted'
  }

  /** A signature or an attestation goes with the image that it is about. */
  async #checkSubject(name: RepositoryName, digest: Digest, asker?: Asker): Promise<void> {
    const manifest = await this.#options.registry.getManifest(name, digest, asker)
    const subject = findContent(manifest.bytes)?.subject
    if (subject && (await this.#judge(name, subject.digest)) === 'permitted') return
    throw this.#refusal(name, digest, 'no tag that may be pulled is known to lead to it: pull by tag first')
  }

  /** Finds out what denied tags mean now, so that their content is known. */
  async #lookUpDenied(name: RepositoryName, asker?: Asker): Promise<void> {
    const { registry } = this.#options
    try {
      for (const tag of await this.#deniedTags(name, asker)) {
        const manifest = await unlessAbsent(() => registry.getManifest(name, tag, asker))
        if (manifest) await this.note(name, manifest, false)
      }
    } catch (error) {
      // While the upstream fails, what is known here has to do.
      if (!(error instanceof UpstreamError)) throw error
    }
  }

  async #deniedTags(name: RepositoryName, asker?: Asker): Promise<Tag[]> {
    const { registry, rules } = this.#options
    const plain = rules.plainDeniedTags(name)
    if (plain) return plain
    const listed = await unlessAbsent(() => registry.listTags(name, {}, asker))
    const denied = (listed?.tags ?? []).filter((tag) => !rules.permits(name, tag))
    if (denied.length <= mostTags) return denied
    const why = `${denied.length} tags may not be pulled, too many to tell what they mean: pull by a tag that may be`
    throw new RegistryError('DENIED', `content of ${name} is not served by digest here before its tag is known: ${why}`)
  }

  async #namedBy(name: RepositoryName, digest: Digest): Promise<Digest[]> {
    const kept = await this.#options.metadata.signatures.manifestsNaming(this.#repository(name), digest)
    return [...new Set([...(this.#naming.get(keyOf(name, digest)) ?? []), ...kept])]
  }

  #repository(name: RepositoryName): RepositoryKey {
    return { registry: this.#options.upstream, name }
  }

  #refusal(name: RepositoryName, digest: Digest, why: string): RegistryError {
    const { upstream } = this.#options
    return new RegistryError('DENIED', `${name}@${digest} may not be pulled from ${upstream} here (${why})`)
  }
}

const keyOf = (name: RepositoryName, digest: Digest): string => `${name}@${digest}`

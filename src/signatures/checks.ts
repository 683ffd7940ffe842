import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { Flights } from '../oci/flights.ts'
import { findContent, partsOf } from '../oci/manifest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Asker, Manifest, RegistryReader } from '../oci/registry.ts'
import type { Metadata, RepositoryKey } from '../metadata/metadata.ts'
import { findBytes, findSigner, type Place } from './attached.ts'
import type { ReportSignatureEvent } from './events.ts'
import { isJson, isMaterial } from './material.ts'
import type { SignatureRule } from './rules.ts'

export interface ChecksOptions {
  upstream: string
  registry: RegistryReader
  metadata: Metadata
  report: ReportSignatureEvent
  now: () => number
}

/** What is asked for, by the rule of its repository. */
export interface Asked {
  readonly rule: SignatureRule
  readonly name: RepositoryName
  readonly digest: Digest
  readonly asker: Asker | undefined
}

/** `vouched`: named by a signed manifest, so that it is permitted as soon as it is clear what it names itself. */
type Kind = 'manifest' | 'blob' | 'vouched'

/**
 * How long it is believed that a signature is missing, in milliseconds: most often it is about to be made, unless nobody is
 * kept waiting for it.
 */
const missingFor = { enforce: 10_000, warn: 600_000 }
/** Attestations hold lists of packages, which may be long; in bytes. */
const largestMaterial = 16 * 1024 * 1024
/** How many manifests that name a digest, and are not known to be signed, are looked at, and how far up. */
const mostParents = 8
const deepest = 3

/**
 * What may be pulled from the repositories of one upstream that have a rule: manifests with a good signature, all that
 * these name, and signatures themselves. Remembered by repository and digest; what signatures tell is kept in the database.
 */
export class Checks {
  readonly #options: ChecksOptions
  /** By kind, for one must not pass for another. */
  readonly #permitted = new LRUCache<string, true>({ max: 100_000 })
  readonly #refused = new LRUCache<string, { against: string; until: number }>({ max: 10_000 })
  readonly #flights = new Flights()

  constructor(options: ChecksOptions) {
    this.#options = options
  }

  /** Whether it is known at once that it may be pulled. */
  isPermitted(kind: Kind, name: RepositoryName, digest: Digest): boolean {
    return this.#permitted.get(keyOf(kind, name, digest)) === true
  }

  /** What speaks against a manifest; undefined when it may be pulled. Rejects when that cannot be found out. */
  async againstManifest(asked: Asked, manifest: Manifest): Promise<string | undefined> {
    const content = findContent(manifest.bytes)
    const contents = content ? partsOf(content).map((part) => part.digest) : []
    const material = content !== undefined && isMaterial(content)
    const { signatures } = this.#options.metadata
    const note = () => this.#written(signatures.putContents(this.#repository(asked), asked.digest, contents))
    // Served as it is, it is followed by what it names: that must be told from other content by then.
    if (asked.rule.policy === 'warn') await note()
    const against = material ? undefined : await this.#share('manifest', asked, () => this.#unsigned(asked))
    if (against !== undefined) return against
    if (asked.rule.policy === 'enforce') await note()
    this.#permit('manifest', asked.name, asked.digest)
    // Its blobs may have been refused before it was known that it names them.
    if (material) for (const digest of contents) this.#refused.delete(keyOf('blob', asked.name, digest))
    else {
      await this.#keepSigned(asked)
      for (const digest of contents) this.#permitContent(asked.name, digest)
    }
    return undefined
  }

  /** The same for a blob. */
  async againstBlob(asked: Asked): Promise<string | undefined> {
    const against = await this.#share('blob', asked, () => this.#unnamed(asked))
    if (against === undefined) this.#permit('blob', asked.name, asked.digest)
    return against
  }

  /** A manifest is signed, or named by one that is. */
  async #unsigned(asked: Asked, depth = 1): Promise<string | undefined> {
    if (this.isPermitted('vouched', asked.name, asked.digest) || (await this.#isVouched(asked))) return undefined
    const parents = await this.#parentsOf(asked)
    const against = await this.#lookForSigner(asked)
    if (against === undefined || depth === deepest) return against
    for (const digest of parents.slice(0, mostParents)) {
      if ((await this.#unsigned({ ...asked, digest }, depth + 1)) === undefined) return undefined
    }
    return against
  }

  /** A blob is named by a manifest that may be pulled; one that is named by a signature alone has to look like it. */
  async #unnamed(asked: Asked): Promise<string | undefined> {
    if (await this.#isVouched(asked)) return undefined
    const few = (await this.#parentsOf(asked)).slice(0, mostParents)
    for (const digest of few) if (await this.#isMaterialOf({ ...asked, digest }, asked.digest)) return undefined
    for (const digest of few) {
      if ((await this.#unsigned({ ...asked, digest })) === undefined) return undefined
    }
    return 'no manifest that names it and may be pulled (ask for the manifest first)'
  }

  async #isMaterialOf(parent: Asked, blob: Digest): Promise<boolean> {
    const place = this.#place(parent)
    const manifest = await place.registry.getManifest(place.name, parent.digest, parent.asker)
    const content = findContent(manifest.bytes)
    if (!content || !isMaterial(content)) return false
    const bytes = await findBytes(place, blob, largestMaterial)
    return bytes !== undefined && isJson(bytes)
  }

  async #lookForSigner(asked: Asked): Promise<string | undefined> {
    const { rule, digest } = asked
    const finding = await findSigner(this.#place(asked), digest, rule.signers)
    if ('against' in finding) return finding.against
    await this.#keepSigned(asked)
    const { report, upstream } = this.#options
    const message = `signed by ${finding.signer}`
    report({ type: 'signature', upstream, repository: asked.name, digest, result: 'good', message })
    return undefined
  }

  /** Asks once for all who want to know at the same moment, and believes a refusal for a while. */
  #share(kind: 'manifest' | 'blob', asked: Asked, ask: () => Promise<string | undefined>): Promise<string | undefined> {
    const { now } = this.#options
    const key = keyOf(kind, asked.name, asked.digest)
    const refused = this.#refused.get(key)
    if (refused && now() < refused.until) return Promise.resolve(refused.against)
    return this.#flights.share(key, async () => {
      const against = await ask()
      if (against !== undefined) this.#refused.set(key, { against, until: now() + missingFor[asked.rule.policy] })
      if (against !== undefined && kind === 'manifest') this.#tellRefused(asked, against)
      return against
    })
  }

  #tellRefused(asked: Asked, against: string): void {
    const { report, upstream } = this.#options
    const result = asked.rule.policy === 'enforce' ? 'refused' : 'warned'
    const { message } = refusal(upstream, asked, against)
    report({ type: 'signature', upstream, repository: asked.name, digest: asked.digest, result, message })
  }

  #permit(kind: Kind, name: RepositoryName, digest: Digest): void {
    this.#permitted.set(keyOf(kind, name, digest), true)
    this.#refused.delete(keyOf(kind, name, digest))
  }

  /** What a signed manifest names, of whatever kind: BuildKit lists blobs as if they were manifests. */
  #permitContent(name: RepositoryName, digest: Digest): void {
    this.#permit('blob', name, digest)
    this.#permit('vouched', name, digest)
    this.#refused.delete(keyOf('manifest', name, digest))
  }

  /** Whether it, or what names it, is known to be signed. Asks the database alone, so that it may look at all there is. */
  async #isVouched(asked: Asked, depth = 0): Promise<boolean> {
    const { signatures } = this.#options.metadata
    if (await signatures.isSigned(this.#repository(asked), asked.digest, asked.rule.signers.fingerprint)) return true
    for (const digest of depth < deepest ? await this.#parentsOf(asked) : []) {
      if (await this.#isVouched({ ...asked, digest }, depth + 1)) return true
    }
    return false
  }

  /** Signed, or vouched for by what is. */
  #keepSigned(asked: Asked): Promise<void> {
    const { signatures } = this.#options.metadata
    return this.#written(signatures.putSigned(this.#repository(asked), asked.digest, asked.rule.signers.fingerprint))
  }

  #parentsOf(asked: Asked): Promise<Digest[]> {
    return this.#options.metadata.signatures.manifestsNaming(this.#repository(asked), asked.digest)
  }

  #repository({ name }: Asked): RepositoryKey {
    return { registry: this.#options.upstream, name }
  }

  /** What was refused before is checked at the upstream, however fresh it looks here. */
  #place({ name, digest, asker }: Asked): Place {
    const noCache = this.#refused.has(keyOf('manifest', name, digest))
    const { registry } = this.#options
    return { registry, name, asker: { caller: asker?.caller, noCache, mayReadPrivate: 'granted' } }
  }

  /** What the disk cannot take now is found out again after the next start. */
  async #written(writing: Promise<void>): Promise<void> {
    await writing.catch(() => {})
  }
}

/** The answer to a client, with what was wanted, what was seen, and what to do. */
export function refusal(upstream: string, { rule, name, digest }: Asked, against: string): RegistryError {
  return new RegistryError(
    'DENIED',
    `${name}@${digest} may not be pulled from ${upstream} here: the signature rule ${rule.match} wants a signature by ` +
      `${rule.signers.description}, saw ${against}; have it signed (cosign sign), or change signatures of ${upstream}`,
  )
}

function keyOf(kind: Kind, name: RepositoryName, digest: Digest): string {
  return `${kind} ${name}@${digest}`
}

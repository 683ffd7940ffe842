// A registry that shows only what is signed, where a rule says so: a registry around a registry. Whatever way content is
// asked for, by tag, digest, range or HEAD, warm or cold, leads through here.
import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import type { ByteRange } from '../oci/range.ts'
import type { Reference, RepositoryName, Tag } from '../oci/reference.ts'
import type { Asker, Manifest, ManifestHead, RegistryReader, Soon, TagMoment, TagQuery } from '../oci/registry.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { Checks, refusal, type Asked } from './checks.ts'
import type { ReportSignatureEvent } from './events.ts'
import type { SignatureRule } from './rules.ts'

export type { SignatureEvent } from './events.ts'
export { signatureReports } from './report.ts'
export { readSignatureRules, type SignatureRule, type SignatureRuleSettings } from './rules.ts'

export interface SignedOptions {
  upstream: string
  registry: RegistryReader
  /** The first that fits a repository holds; content of repositories without one is not looked at. */
  rules: readonly SignatureRule[]
  metadata: Metadata
  report?: ReportSignatureEvent
  now?: () => number
}

/** Nothing is in the way where there is no rule: then the registry is returned as it is. */
export function signed(options: SignedOptions): RegistryReader {
  return options.rules.length > 0 ? new SignedRegistry(options) : options.registry
}

class SignedRegistry implements RegistryReader {
  readonly #upstream: string
  readonly #registry: RegistryReader
  readonly #rules: readonly SignatureRule[]
  readonly #report: ReportSignatureEvent
  readonly #checks: Checks
  readonly #ruleOf = new LRUCache<RepositoryName, { rule: SignatureRule | undefined }>({ max: 10_000 })

  constructor({ upstream, registry, rules, metadata, report = () => {}, now = Date.now }: SignedOptions) {
    this.#upstream = upstream
    this.#registry = registry
    this.#rules = rules
    this.#report = report
    this.#checks = new Checks({ upstream, registry, metadata, report, now })
  }

  getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<Manifest> {
    const rule = this.#find(name)
    const found = this.#registry.getManifest(name, reference, asker)
    if (!rule) return found
    if (found instanceof Promise) return found.then((manifest) => this.#passed(rule, name, manifest, asker))
    return this.#passed(rule, name, found, asker)
  }

  headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Soon<ManifestHead> {
    // What a manifest names has to be known: a HEAD is told what a GET would be.
    return this.#find(name)
      ? this.getManifest(name, reference, asker)
      : this.#registry.headManifest(name, reference, asker)
  }

  getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker) {
    const checked = this.#checkBlob(name, digest, asker)
    const get = () => this.#registry.getBlob(name, digest, range, asker)
    return checked ? checked.then(get) : get()
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker) {
    await this.#checkBlob(name, digest, asker)
    return this.#registry.headBlob(name, digest, asker)
  }

  listTags(name: RepositoryName, query: TagQuery, asker?: Asker) {
    return this.#registry.listTags(name, query, asker)
  }

  listReferrers(name: RepositoryName, digest: Digest, asker?: Asker) {
    return this.#registry.listReferrers(name, digest, asker)
  }

  async tagHistory(name: RepositoryName, tag: Tag, asker?: Asker): Promise<TagMoment[]> {
    return (await this.#registry.tagHistory?.(name, tag, asker)) ?? []
  }

  #find(name: RepositoryName): SignatureRule | undefined {
    const known = this.#ruleOf.get(name)
    if (known) return known.rule
    const rule = this.#rules.find(({ fits }) => fits(name))
    this.#ruleOf.set(name, { rule })
    return rule
  }

  #passed(rule: SignatureRule, name: RepositoryName, manifest: Manifest, asker: Asker | undefined): Soon<Manifest> {
    if (this.#checks.isPermitted('manifest', name, manifest.digest)) return manifest
    const asked = { rule, name, digest: manifest.digest, asker }
    const checked = this.#checks.againstManifest(asked, manifest)
    if (rule.policy === 'enforce') return checked.then((against) => this.#unless(asked, against, manifest))
    // A warning keeps nobody waiting.
    checked.catch((error: Error) => this.#tellUnchecked(asked, error))
    return manifest
  }

  /** Rejects with DENIED; undefined when it is clear at once that nothing is in the way. */
  #checkBlob(name: RepositoryName, digest: Digest, asker: Asker | undefined): Promise<void> | undefined {
    const rule = this.#find(name)
    if (rule?.policy !== 'enforce' || this.#checks.isPermitted('blob', name, digest)) return undefined
    const asked = { rule, name, digest, asker }
    return this.#checks.againstBlob(asked).then((against) => this.#unless(asked, against, undefined))
  }

  #unless<T>(asked: Asked, against: string | undefined, value: T): T {
    if (against === undefined) return value
    throw refusal(this.#upstream, asked, against)
  }

  #tellUnchecked({ name, digest }: Asked, { message }: Error): void {
    const what = `the signature of ${name}@${digest} could not be checked: ${message}`
    this.#report({
      type: 'signature',
      upstream: this.#upstream,
      repository: name,
      digest,
      result: 'unchecked',
      message: what,
    })
  }
}

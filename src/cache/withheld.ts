import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { findContent, partsOf } from '../oci/manifest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Manifest } from '../oci/registry.ts'
import type { Metadata, RepositoryKey, WithheldRecord } from '../metadata/metadata.ts'

type Held = Map<Digest, WithheldRecord>

/** What is too new to be given out (minAge): not by its tag, and not by digest either, whoever asks in whatever way. */
export class Withheld {
  readonly #upstream: string
  readonly #metadata: Metadata
  readonly #now: () => number
  /** Whether this upstream has a minAge at all: then alone does anything here cost anything. */
  readonly used: boolean
  readonly #byName = new LRUCache<string, Held>({ max: 10_000 })

  constructor(options: { upstream: string; metadata: Metadata; now: () => number; used: boolean }) {
    this.#upstream = options.upstream
    this.#metadata = options.metadata
    this.#now = options.now
    this.used = options.used
  }

  /** Throws, or rejects with, DENIED for what is held back; undefined when it is clear at once that nothing is. */
  check(name: RepositoryName, digest: Digest): Promise<void> | undefined {
    if (!this.used) return undefined
    const held = this.#byName.get(name)
    if (!held) return this.#load(name).then((loaded) => this.#refuse(name, loaded.get(digest)))
    this.#refuse(name, held.get(digest))
    return undefined
  }

  /** Rejects with DENIED, while anything of a repository is held back, for what cannot be told from it. */
  async checkUnnamed(name: RepositoryName, digest: Digest): Promise<void> {
    const held = [...(await this.#load(name)).values()].find(({ until }) => until > this.#now())
    if (!held) return
    throw new RegistryError(
      'DENIED',
      `${name}@${digest} may belong to ${held.digest}, which is held back (minAge of ${this.#upstream}): ask for what leads to it first`,
    )
  }

  /** Holds back a manifest, its children and those of its blobs that the repository has not held before. */
  async hold(repository: RepositoryKey, tag: Tag, until: number, manifest: Manifest): Promise<void> {
    const records = (await this.#partsOf(repository, manifest)).map((digest) => ({ digest, tag, until }))
    const held = await this.#load(repository.name)
    for (const record of records) held.set(record.digest, record)
    await this.#metadata.withhold(repository, records)
  }

  /** Gives free what a tag without a minAge, or one that has waited, means. */
  async release(repository: RepositoryKey, manifest: Manifest): Promise<void> {
    if (!this.used) return
    const held = await this.#load(repository.name)
    const digests = [manifest.digest, ...namedBy(manifest)].filter((digest) => held.delete(digest))
    if (digests.length > 0) await this.#metadata.release(repository, digests)
  }

  async #partsOf(repository: RepositoryKey, manifest: Manifest): Promise<Digest[]> {
    const fresh: Digest[] = [manifest.digest]
    for (const digest of namedBy(manifest)) {
      const known =
        (await this.#metadata.findManifest(repository, digest)) ??
        (await this.#metadata.findBlobSize(repository, digest))
      if (known === undefined) fresh.push(digest)
    }
    return fresh
  }

  async #load(name: RepositoryName): Promise<Held> {
    const known = this.#byName.get(name)
    if (known) return known
    const records = await this.#metadata.listWithheld({ registry: this.#upstream, name })
    const held = this.#byName.get(name) ?? new Map(records.map((record) => [record.digest, record]))
    this.#byName.set(name, held)
    return held
  }

  #refuse(name: RepositoryName, record: WithheldRecord | undefined): void {
    if (!record || record.until <= this.#now()) return
    const until = new Date(record.until).toISOString().slice(0, 16).replace('T', ' ')
    throw new RegistryError(
      'DENIED',
      `${name}@${record.digest} came to be ${record.tag} only lately and is held back until ${until} UTC (minAge of ${this.#upstream})`,
    )
  }
}

/** Every digest a manifest names as its content. */
function namedBy({ bytes }: Manifest): Digest[] {
  const content = findContent(bytes)
  return content ? partsOf(content).map(({ digest }) => digest) : []
}

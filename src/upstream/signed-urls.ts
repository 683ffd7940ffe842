import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/reference.ts'

/** Signed URLs live minutes; well within that, the ranges of one fill save themselves the way through the registry. */
const keptFor = 30_000

/** Where a blob's redirect led, for the other ranges of the same fill. Never stored, never shown. */
export class SignedUrls {
  readonly #now: () => number
  readonly #urls = new LRUCache<string, { url: URL; until: number }>({ max: 1000 })

  constructor(now: () => number) {
    this.#now = now
  }

  find(name: RepositoryName, digest: Digest): URL | undefined {
    const kept = this.#urls.get(`${name}@${digest}`)
    return kept && this.#now() < kept.until ? kept.url : undefined
  }

  keep(name: RepositoryName, digest: Digest, url: URL): void {
    this.#urls.set(`${name}@${digest}`, { url, until: this.#now() + keptFor })
  }

  forget(name: RepositoryName, digest: Digest): void {
    this.#urls.delete(`${name}@${digest}`)
  }
}

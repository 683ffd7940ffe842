import { LRUCache } from 'lru-cache'
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/registry.ts'

/** What a tag means, as last seen. */
export interface HotTag {
  readonly manifest: Manifest
  readonly checkedAt: number
  /** Until then it is served without a question, in milliseconds since 1970. */
  readonly freshUntil: number
  /** Whether it is never asked about again, not even when a client wants it checked. */
  readonly pinned: boolean
  /** Failed checks in a row, and until when the next one is put off. */
  readonly failures: number
  readonly retryAt: number
  /** The manifest marked as stale, while checks fail. */
  readonly stale?: Manifest
}

/** Manifests and tags that are in use, in memory: at most 64 MiB of manifests. */
export class HotManifests {
  readonly #manifests = new LRUCache<string, Manifest>({
    maxSize: 64 * 1024 * 1024,
    sizeCalculation: (manifest) => manifest.size + 500,
  })
  readonly #tags = new LRUCache<string, HotTag>({
    maxSize: 64 * 1024 * 1024,
    sizeCalculation: (tag) => tag.manifest.size + 500,
  })

  manifest(key: string): Manifest | undefined {
    return this.#manifests.get(key)
  }

  keepManifest(key: string, manifest: Manifest): void {
    this.#manifests.set(key, manifest)
  }

  tag(key: string): HotTag | undefined {
    return this.#tags.get(key)
  }

  keepTag(key: string, tag: HotTag): void {
    this.#tags.set(key, tag)
  }

  dropTag(key: string): void {
    this.#tags.delete(key)
  }

  /** Forgets manifests that are kept no more: else they would be served from here, and never be kept again. */
  drop(digests: ReadonlySet<Digest>): void {
    for (const [key, { digest }] of this.#manifests.entries()) if (digests.has(digest)) this.#manifests.delete(key)
    for (const [key, { manifest }] of this.#tags.entries()) if (digests.has(manifest.digest)) this.#tags.delete(key)
  }
}

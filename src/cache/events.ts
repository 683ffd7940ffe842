import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'

/** How a lookup ended. `revalidated`: the upstream was asked and said that what is cached still holds. */
export type Outcome = 'hit' | 'miss' | 'stale' | 'revalidated'

/** What the cache tells whoever listens; for metrics, logs and pages. */
export type CacheEvent =
  | { type: 'lookup'; upstream: string; kind: 'manifest' | 'blob' | 'tags' | 'referrers'; outcome: Outcome }
  | { type: 'fill-started'; upstream: string; digest: Digest }
  /** `repository`: the one that it was begun for. */
  | {
      type: 'fill-ended'
      upstream: string
      repository: string
      digest: Digest
      result: 'stored' | 'failed' | 'stopped'
      message?: string
    }
  /** A tag means another manifest than before, and is served with it from now on. */
  | { type: 'tag-moved'; upstream: string; repository: string; tag: Tag; before: Digest; digest: Digest }
  | { type: 'evicted'; upstream: string; digest: Digest; bytes: number }
  | { type: 'storage-failure'; message: string }
  | { type: 'wrong-content'; upstream: string; digest: Digest; message: string }

export type ReportCacheEvent = (event: CacheEvent) => void

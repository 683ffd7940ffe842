import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { FillEvent } from '../fills/fills.ts'

/** How a lookup ended. `revalidated`: the upstream was asked and said that what is cached still holds. */
export type Outcome = 'hit' | 'miss' | 'stale' | 'revalidated'

/** What the cache tells whoever listens; for metrics, logs and pages. */
export type CacheEvent =
  | FillEvent
  | { type: 'lookup'; upstream: string; kind: 'manifest' | 'blob' | 'tags' | 'referrers'; outcome: Outcome }
  /** A tag means another manifest than before, and is served with it from now on. */
  | { type: 'tag-moved'; upstream: string; repository: string; tag: Tag; before: Digest; digest: Digest }
  | { type: 'evicted'; upstream: string; digest: Digest; bytes: number }

export type ReportCacheEvent = (event: CacheEvent) => void

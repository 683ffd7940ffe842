import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'

/** What the hosted registry tells. */
export type HostedEvent =
  | {
      readonly type: 'hosted-content-lost'
      readonly repository: string
      readonly digest: Digest
      readonly message: string
    }
  | { readonly type: 'tag-pushed'; readonly repository: string; readonly tag: Tag; readonly digest: Digest }
  /** By a client; what retention removes is collected. */
  | { readonly type: 'tag-deleted'; readonly repository: string; readonly tag: Tag; readonly digest: Digest }
  /** A tag that no rule of retention keeps. */
  | { readonly type: 'tag-retired'; readonly repository: string; readonly tag: Tag; readonly reason: string }
  | { readonly type: 'collected'; readonly repository: string; readonly reason: string; readonly what: string }
  | { readonly type: 'collection-failed'; readonly message: string }

export type ReportHostedEvent = (event: HostedEvent) => void

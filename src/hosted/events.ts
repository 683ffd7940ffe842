import type { Digest } from '../oci/digest.ts'

/** What the hosted registry tells. */
export type HostedEvent =
  | {
      readonly type: 'hosted-content-lost'
      readonly repository: string
      readonly digest: Digest
      readonly message: string
    }
  | { readonly type: 'collected'; readonly repository: string; readonly reason: string; readonly what: string }
  | { readonly type: 'collection-failed'; readonly message: string }

export type ReportHostedEvent = (event: HostedEvent) => void

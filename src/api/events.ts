import type { RepositoryName, Tag } from '../oci/reference.ts'

/** What the API tells whoever listens, once a request. */
export interface RequestEvent {
  readonly type: 'request'
  readonly method: string
  /** The endpoint: closed, so that it can label a metric. */
  readonly route: string
  readonly status: number
  /** Bytes of the body that were sent. */
  readonly bytes: number
  /** Milliseconds from the request's arrival to its end. */
  readonly duration: number
  readonly path: string
  readonly search: string
  /** The repository's one name; empty where the endpoint has none, or nothing was looked up. */
  readonly name: RepositoryName
  /** The tag of a manifest that was asked for. */
  readonly tag: Tag | undefined
  /** Who logged in. */
  readonly user: string | undefined
  readonly client: string | undefined
  readonly agent: string | undefined
  /** The fault behind a 5xx, or what broke the body off. */
  readonly error: unknown
}

export type ReportRequest = (event: RequestEvent) => void

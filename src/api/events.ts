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
  readonly client: string | undefined
  readonly agent: string | undefined
  /** The fault behind a 5xx, or what broke the body off. */
  readonly error: unknown
}

export type ReportRequest = (event: RequestEvent) => void

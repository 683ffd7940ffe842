export type AdminAction =
  | 'delete'
  | 'tag'
  | 'roll back'
  | 'check'
  | 'evict'
  | 'fetch'
  | 'fetch stopped'
  | 'pin'
  | 'unpin'
  | 'pin tag'
  | 'release tag'
  | 'collect'
  | 'description changed'
  | 'webhook sent again'
  | 'webhook tested'
  | 'namespace added'
  | 'namespace removed'

/** Something that was done on the pages or by the admin API, and by whom; told once it is done. */
export interface AdminEvent {
  readonly type: 'administered'
  readonly action: AdminAction
  /** Undefined for who did not log in. */
  readonly user: string | undefined
  readonly address: string | undefined
  /** A repository or a namespace. */
  readonly name: string | undefined
  /** A tag, a digest, a pattern, how much, or which part. */
  readonly detail: string | undefined
}

/** The operator of this machine cannot speak to the server, and works beside it. */
export interface NoOperatorSocket {
  readonly type: 'no-operator-socket'
  readonly message: string
}

export type ReportAdminEvent = (event: AdminEvent) => void

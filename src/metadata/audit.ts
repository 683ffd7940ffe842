/** Something that somebody did. */
export interface AuditEntry {
  /** Milliseconds since 1970; of several that were the same, the last one's. */
  readonly at: number
  readonly action: string
  /** Undefined for who did not log in; `command line` for the operator on this machine. */
  readonly user: string | undefined
  readonly address: string | undefined
  /** What it was done to: a repository, an account, a token. */
  readonly name: string | undefined
  /** A tag, a digest, or what was changed. */
  readonly detail: string | undefined
  /** How often, within some seconds. */
  readonly count: number
}

export interface AuditRecord extends AuditEntry {
  /** Greater than that of every entry before. */
  readonly number: number
}

export interface AuditFilter {
  /** Milliseconds since 1970. */
  readonly since?: number | undefined
  readonly user?: string | undefined
  readonly action?: string | undefined
  readonly name?: string | undefined
}

export interface AuditQuery extends AuditFilter {
  /** Only those behind this one. */
  readonly after: number
  readonly limit: number
}

/** An append-only log. */
export interface AuditMetadata {
  /** At once: when the call returns its promise, the entries are written, all or none. */
  append(entries: readonly AuditEntry[]): Promise<void>
  /** In order. */
  list(query: AuditQuery): Promise<AuditRecord[]>
  /** The newest first: those before this number, or all. */
  latest(query: AuditFilter & { readonly before?: number | undefined; readonly limit: number }): Promise<AuditRecord[]>
  /** Removes what is older, and returns how many. */
  expire(before: number): Promise<number>
}

/** One CONNECT, and what became of it. */
export interface TunnelEvent {
  type: 'tunnel'
  /** As the client wrote it, shortened. */
  target: string
  outcome: 'served' | 'passed on' | 'refused' | 'failed'
  /** Why, if it was not let through. */
  message?: string
}

export type ReportTunnel = (event: TunnelEvent) => void

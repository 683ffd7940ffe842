import type { Content, ContentSpec } from '../content.ts'
import type { Fault } from './faults.ts'
import type { AuthOptions } from './auth.ts'
import type { CdnOptions } from './cdn.ts'
import type { Quirks } from './quirks.ts'
import type { RateOptions } from './rate.ts'

/** How an upstream behaves; `upstream.set()` changes any of it while it runs. */
export interface Behaviour {
  /** Who may read; none: everybody, without a challenge. */
  auth?: AuthOptions
  /** What this registry does differently from the specification. */
  quirks?: Quirks
  /** What goes wrong. */
  faults?: Fault[]
  /** Blobs are served from another host by signed URLs. */
  cdn?: CdnOptions
  rate?: RateOptions
  /** For each response body: what a connection gives. */
  bytesPerSecond?: number
  /** Before every answer. */
  latencyMs?: number
  /** Idle connections are closed after so many milliseconds, without a warning in a header. */
  idleClose?: number
  /** Every request for a repository is redirected below this URL, as registry.k8s.io does: `http://127.0.0.1:1/v2/images`. */
  redirectTo?: string
}

export type Changes = { [K in keyof Behaviour]?: Behaviour[K] | undefined }

export interface UpstreamOptions extends Behaviour {
  content: ContentSpec | Content
  /** Serves https on every port. PEM. */
  tls?: { key: string; cert: string }
  /** What tokens and signed URLs expire by. */
  clock?: { now(): number }
}

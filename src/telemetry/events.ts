import type { AccessEvent } from '../access/access.ts'
import type { AdminEvent, NoOperatorSocket } from '../admin/admin.ts'
import type { RequestEvent } from '../api/app.ts'
import type { CacheEvent } from '../cache/cache.ts'
import type { HostedEvent } from '../hosted/hosted.ts'
import type { TunnelEvent } from '../proxy/proxy.ts'
import type { SignatureEvent } from '../signatures/signatures.ts'
import type { CertificateEvent } from '../tls/tls.ts'
import type { UpstreamEvent } from '../upstream/upstream.ts'
import type { WarmEvent } from '../warm/warm.ts'
import type { WebhookEvent } from '../webhooks/webhooks.ts'

/** Everything that rooms tell. */
export type Event =
  | AccessEvent
  | AdminEvent
  | CertificateEvent
  | RequestEvent
  | CacheEvent
  | HostedEvent
  | NoOperatorSocket
  | SignatureEvent
  | TunnelEvent
  | UpstreamEvent
  | WarmEvent
  | WebhookEvent

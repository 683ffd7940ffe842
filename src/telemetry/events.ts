import type { RequestEvent } from '../api/app.ts'
import type { CacheEvent } from '../cache/cache.ts'
import type { HostedEvent } from '../hosted/hosted.ts'
import type { SignatureEvent } from '../signatures/signatures.ts'
import type { UpstreamEvent } from '../upstream/upstream.ts'

/** Everything that rooms tell. */
export type Event = RequestEvent | CacheEvent | HostedEvent | SignatureEvent | UpstreamEvent

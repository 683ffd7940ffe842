import type { UpstreamFailure } from '../oci/errors.ts'

/** What an upstream tells whoever listens; for metrics, logs and pages. */
export type UpstreamEvent =
  | { type: 'upstream-request'; upstream: string; method: 'GET' | 'HEAD'; status: number }
  | { type: 'upstream-failure'; upstream: string; failure: UpstreamFailure; message: string }
  | { type: 'upstream-bytes'; upstream: string; bytes: number }
  | { type: 'rate-limit'; upstream: string; remaining: number; limit: number | undefined }
  | { type: 'credentials-refused'; upstream: string; realm: string }

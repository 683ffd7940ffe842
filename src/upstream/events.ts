import type { UpstreamFailure } from '../oci/errors.ts'

/** What an upstream tells whoever listens; for metrics, logs and pages. */
export type UpstreamEvent =
  | { type: 'upstream-request'; upstream: string; method: 'GET' | 'HEAD'; status: number }
  | { type: 'upstream-failure'; upstream: string; failure: UpstreamFailure; message: string }
  | { type: 'upstream-bytes'; upstream: string; bytes: number }
  /** `scarce`: what is left is at the reserve. */
  | {
      type: 'rate-limit'
      upstream: string
      account: string
      remaining: number
      limit: number | undefined
      scarce: boolean
    }
  /** A pull that the upstream counts, and on whose behalf; undefined is Berth itself. */
  | { type: 'pull-spent'; upstream: string; account: string; repository: string; caller: string | undefined }
  /** An account's credentials stopped working, or work again. */
  | { type: 'credentials'; upstream: string; account: string; good: boolean; host: string; why: string }
  /** A host is given up for a while, or is back. */
  | { type: 'breaker'; upstream: string; host: string; open: boolean }

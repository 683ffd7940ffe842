import type { Digest } from '../oci/digest.ts'

/** What fills tell whoever listens. */
export type FillEvent =
  | { type: 'fill-started'; upstream: string; digest: Digest }
  /** `repository`: the one that it was begun for. */
  | {
      type: 'fill-ended'
      upstream: string
      repository: string
      digest: Digest
      result: 'stored' | 'failed' | 'stopped'
      message?: string
    }
  | { type: 'storage-failure'; message: string }
  | { type: 'wrong-content'; upstream: string; digest: Digest; message: string }

export type ReportFillEvent = (event: FillEvent) => void

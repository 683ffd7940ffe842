import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/reference.ts'

/** A manifest whose signatures were looked for; told once for each time they are, not for each pull. */
export interface SignatureEvent {
  readonly type: 'signature'
  readonly upstream: string
  readonly repository: RepositoryName
  readonly digest: Digest
  /** `unchecked`: the upstream failed, and the rule only warns. */
  readonly result: 'good' | 'refused' | 'warned' | 'unchecked'
  readonly message: string
}

export type ReportSignatureEvent = (event: SignatureEvent) => void

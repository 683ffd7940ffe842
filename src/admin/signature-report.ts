import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Asker } from '../oci/registry.ts'

/** What signatures of an image come to. */
export interface SignatureReport {
  /** Where a rule concerns the repository. */
  readonly verdict: SignatureVerdict | undefined
  /** Whom signatures name as who made them. Nobody has verified that. */
  readonly claims: readonly string[]
}

export interface SignatureVerdict {
  /** The pattern of the rule. */
  readonly rule: string
  readonly policy: 'warn' | 'enforce'
  /** Whose signatures count. */
  readonly wanted: string
  /** The one of these who signed it. */
  readonly signer: string | undefined
  /** A signed manifest that names it, where nobody signed it itself. */
  readonly coveredBy: Digest | undefined
  /** What speaks against it. */
  readonly against: string | undefined
}

/** Looks for signatures of a manifest; undefined where that could not be done. */
export type SignaturesOf = (name: RepositoryName, digest: Digest, asker: Asker) => Promise<SignatureReport | undefined>

import type { Digest } from '../oci/digest.ts'
import type { RepositoryKey } from './metadata.ts'

/** What was found out of signatures. It goes with the manifest it is about when that is removed. */
export interface SignatureMetadata {
  /** Whether a manifest was found signed by these signers: `signers` stands for who they are and what they are trusted by. */
  isSigned(repository: RepositoryKey, digest: Digest, signers: string): Promise<boolean>
  /** Replaces what was known of other signers. */
  putSigned(repository: RepositoryKey, digest: Digest, signers: string): Promise<void>
  /** Notes what a manifest names as its content. */
  putContents(repository: RepositoryKey, manifest: Digest, contents: readonly Digest[]): Promise<void>
  /** The manifests of a repository that are known to name this digest as their content. */
  manifestsNaming(repository: RepositoryKey, digest: Digest): Promise<Digest[]>
}

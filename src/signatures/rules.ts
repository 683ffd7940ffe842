import { namePattern } from '../oci/pattern.ts'
import type { SignerSettings, Signers } from './signers.ts'

export interface SignatureRuleSettings extends SignerSettings {
  /** A pattern of repositories. */
  readonly match: string
  /** What becomes of content without a good signature: it is told of, or refused. */
  readonly policy: 'warn' | 'enforce'
}

export interface SignatureRule {
  readonly match: string
  readonly policy: 'warn' | 'enforce'
  readonly fits: (name: string) => boolean
  readonly signers: Signers
}

/**
 * Reads the files that rules name. `trustedRootFile` is needed where one trusts an identity. Throws when a file cannot be
 * read, or is not what it should be.
 */
export async function readSignatureRules(
  settings: readonly SignatureRuleSettings[],
  trustedRootFile: string | undefined,
): Promise<SignatureRule[]> {
  if (settings.length === 0) return []
  const { readSigners, readTrust } = await import('./signers.ts')
  const trust = trustedRootFile === undefined ? undefined : await readTrust(trustedRootFile)
  return Promise.all(
    settings.map(async (rule) => ({
      match: rule.match,
      policy: rule.policy,
      fits: namePattern(rule.match),
      signers: await readSigners(rule, trust),
    })),
  )
}

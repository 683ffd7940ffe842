import { algorithmOf, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Asker, RegistryReader } from '../oci/registry.ts'
import type { Metadata, RepositoryKey } from '../metadata/metadata.ts'
import { claimsOf, findSigner, signatureTag, type Place } from './attached.ts'
import { claimantOf } from './claimant.ts'
import type { SignatureRule } from './rules.ts'

export interface ReportOptions {
  registry: RegistryReader
  metadata: Metadata
  /** The rules of the upstream that a name belongs to, and the name there; undefined for what is hosted. */
  rulesOf: (name: RepositoryName) => { repository: RepositoryKey; rules: readonly SignatureRule[] } | undefined
}

/** How many signatures are told of. */
const mostClaims = 10

/** Tells people of the signatures of a manifest: what the rule of its repository makes of them, and whom they name. */
export function signatureReports({ registry, metadata, rulesOf }: ReportOptions) {
  async function verdict(place: Place, digest: Digest) {
    const ruled = rulesOf(place.name)
    const rule = ruled?.rules.find(({ fits }) => fits(ruled.repository.name))
    if (!ruled || !rule) return undefined
    const { match, policy, signers } = rule
    const facts = { rule: match, policy, wanted: signers.description }
    const finding = await findSigner(place, digest, signers)
    if ('signer' in finding) return { ...facts, signer: finding.signer, coveredBy: undefined, against: undefined }
    for (const parent of await metadata.signatures.manifestsNaming(ruled.repository, digest)) {
      if (!(await metadata.signatures.isSigned(ruled.repository, parent, signers.fingerprint))) continue
      return { ...facts, signer: undefined, coveredBy: parent, against: undefined }
    }
    return { ...facts, signer: undefined, coveredBy: undefined, against: finding.against }
  }

  async function claims(place: Place, digest: Digest): Promise<string[]> {
    const claimants = new Set<string>()
    // An upstream is not asked for a tag on the chance that there is one: a rule asks, and a client that verifies.
    const byTag =
      algorithmOf(digest) === 'sha256' &&
      (await metadata.browsing.findTag(place.name, signatureTag(digest))) !== undefined
    for await (const claim of claimsOf(place, digest, byTag)) {
      const claimant = claimantOf(claim)
      if (claimant !== undefined) claimants.add(claimant)
      if (claimants.size >= mostClaims) break
    }
    return [...claimants]
  }

  /** Undefined where the upstream, or a rule, keeps anybody from finding out. */
  return async (name: RepositoryName, digest: Digest, asker: Asker) => {
    const place = { registry, name, asker }
    try {
      return { verdict: await verdict(place, digest), claims: await claims(place, digest) }
    } catch (error) {
      if (error instanceof RegistryError) return undefined
      throw error
    }
  }
}

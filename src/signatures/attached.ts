import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { isAbsence, RegistryError, unlessAbsent } from '../oci/errors.ts'
import { findContent } from '../oci/manifest.ts'
import { parseTag, type Reference, type RepositoryName } from '../oci/reference.ts'
import type { Asker, Manifest, RegistryReader } from '../oci/registry.ts'
import { readWhole } from '../oci/whole-blob.ts'
import type { Claim, Finding } from './claims.ts'
import { isBundle, maySign, simpleSigning } from './material.ts'
import type { Signers } from './signers.ts'

/** A repository, and who wants something of it. */
export interface Place {
  readonly registry: RegistryReader
  readonly name: RepositoryName
  readonly asker: Asker
}

/** Signatures are small; what is larger is none, in bytes. */
const largestClaim = 4 * 1024 * 1024
/** How many referrers, and layers of one, are looked at. */
const mostLookedAt = 50

/**
 * Looks for a signature by one of the signers in both places where cosign puts them. Rejects with what the upstream failed
 * with when none was found and not everything could be looked at.
 */
export async function findSigner(place: Place, digest: Digest, signers: Signers): Promise<Finding> {
  // Loaded where there are rules alone: what verifies takes ten times the memory of this room.
  const { examine } = await import('./claims.ts')
  const against = new Set<string>()
  const failures: Error[] = []
  for (const claims of [taggedClaims(place, digest), referringClaims(place, digest)]) {
    try {
      for await (const claim of claims) {
        const finding = examine(claim, digest, signers)
        if ('signer' in finding) return finding
        against.add(finding.against)
      }
    } catch (error) {
      if (!isAbsence(error)) failures.push(error as Error)
    }
  }
  if (failures[0]) throw failures[0]
  return { against: against.size > 0 ? [...against].join(' and ') : 'no signature' }
}

/**
 * Everything that says it is a signature of a manifest; what cannot be looked at is left out. Without `byTag` among its
 * referrers alone.
 */
export async function* claimsOf(place: Place, digest: Digest, byTag: boolean): AsyncGenerator<Claim> {
  for (const claims of [...(byTag ? [taggedClaims(place, digest)] : []), referringClaims(place, digest)]) {
    try {
      yield* claims
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
    }
  }
}

/** The tag `sha256-<hex>.sig`. */
async function* taggedClaims(place: Place, digest: Digest): AsyncGenerator<Claim> {
  // A tag of the other algorithm would be longer than a tag may be.
  if (algorithmOf(digest) !== 'sha256') return
  yield* claimsIn(place, await findManifest(place, signatureTag(digest)))
}

export const signatureTag = (digest: Digest) => parseTag(`sha256-${hexOf(digest)}.sig`)

/** Referrers of the manifest (OCI 1.1). */
async function* referringClaims(place: Place, digest: Digest): AsyncGenerator<Claim> {
  const { descriptors } = await place.registry.listReferrers(place.name, digest, place.asker)
  for (const referrer of descriptors.filter(maySign).slice(0, mostLookedAt)) {
    yield* claimsIn(place, await findManifest(place, referrer.digest))
  }
}

async function* claimsIn(place: Place, manifest: Manifest | undefined): AsyncGenerator<Claim> {
  const layers = manifest && findContent(manifest.bytes)?.layers
  for (const layer of layers?.slice(0, mostLookedAt) ?? []) {
    const simple = layer.mediaType === simpleSigning
    if (!simple && !isBundle(layer.mediaType)) continue
    const bytes = await findBytes(place, layer.digest, largestClaim)
    if (bytes)
      yield simple
        ? { kind: 'simple', payload: bytes, annotations: layer.annotations ?? {} }
        : { kind: 'bundle', json: bytes }
  }
}

async function findManifest({ registry, name, asker }: Place, reference: Reference): Promise<Manifest | undefined> {
  return unlessAbsent(() => registry.getManifest(name, reference, asker))
}

/** A blob's bytes; undefined where there is none, or one of more bytes than `most`. */
export async function findBytes({ registry, name, asker }: Place, digest: Digest, most: number) {
  const blob = await unlessAbsent(() => registry.getBlob(name, digest, undefined, asker))
  return blob && readWhole(blob, most)
}

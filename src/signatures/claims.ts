import { createHash, verify, X509Certificate, type KeyObject } from 'node:crypto'
import { bundleFromJSON, type Bundle } from '@sigstore/bundle'
import { toSignedEntity, type SignedEntity } from '@sigstore/verify'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import type { Signers } from './signers.ts'

/** Something that says it is a signature of a manifest, in one of the two forms that cosign writes. */
export type Claim =
  /** A payload in simple-signing form; the signature and what belongs to it are annotations of its descriptor. */
  | { readonly kind: 'simple'; readonly payload: Buffer; readonly annotations: Readonly<Record<string, string>> }
  /** A Sigstore bundle, as JSON, around an in-toto statement. */
  | { readonly kind: 'bundle'; readonly json: Buffer }

/** Who signed; or what speaks against it, in words for people. */
export type Finding = { readonly signer: string } | { readonly against: string }

/** What a statement must be about to count as a signature: cosign's own, and the provenance that GitHub's builds attest. */
const signing = ['https://sigstore.dev/cosign/sign/v1', 'https://slsa.dev/provenance/v1']

/** Whether one of these signers has signed the manifest of this digest. */
export function examine(claim: Claim, digest: Digest, signers: Signers): Finding {
  try {
    return claim.kind === 'simple' ? examineSimple(claim, digest, signers) : examineBundle(claim.json, digest, signers)
  } catch {
    // It is whatever somebody has pushed: anything may be wrong with it.
    return { against: 'a signature that cannot be read' }
  }
}

/** cosign's SIGNATURE_SPEC.md. */
function examineSimple(claim: Extract<Claim, { kind: 'simple' }>, digest: Digest, signers: Signers): Finding {
  const { payload, annotations } = claim
  if (digestIn(payload) !== digest) return { against: 'a signature of another manifest' }
  const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64')
  const signedBy = signers.keys.find(({ key }) => isSigned(payload, key, signature))
  if (signedBy) return { signer: signedBy.name }
  if (annotations['dev.sigstore.cosign/certificate'] === undefined) return { against: 'a signature by another key' }
  return examineIdentity(() => toSignedEntity(bundleOf(payload, annotations), payload), signers)
}

function examineBundle(json: Buffer, digest: Digest, signers: Signers): Finding {
  const bundle = bundleFromJSON(JSON.parse(json.toString()))
  if (bundle.content.$case !== 'dsseEnvelope') return { against: 'a bundle without a statement' }
  const { payload, payloadType } = bundle.content.dsseEnvelope
  const statement = payloadType === 'application/vnd.in-toto+json' ? (JSON.parse(payload.toString()) as Statement) : {}
  const { subject = [], predicateType = '' } = statement
  const hex = hexOf(digest)
  if (!subject.some((each) => each.digest?.[algorithmOf(digest)] === hex)) {
    return { against: 'a signature of another manifest' }
  }
  if (!signing.includes(predicateType)) return { against: 'a statement that is no signature' }
  const entity = toSignedEntity(bundle)
  const signedBy = signers.keys.find(({ key }) => entity.signature.verifySignature(key))
  if (signedBy) return { signer: signedBy.name }
  if (entity.key.$case === 'public-key') return { against: 'a signature by another key' }
  return examineIdentity(() => entity, signers)
}

/** An in-toto statement (in-toto attestation, v1/statement.md), as far as it is there. */
interface Statement {
  subject?: { digest?: Record<string, string> }[]
  predicateType?: string
}

/** The chain to the root, the certificate's time, its log and the signature's log, and whose certificate it is. */
function examineIdentity(makeEntity: () => SignedEntity, signers: Signers): Finding {
  const { verifier } = signers
  if (!verifier) return { against: 'a signature by a certificate, where a key is trusted' }
  let found
  try {
    found = verifier.verify(makeEntity()).identity
  } catch (error) {
    const { message, cause } = error as Error
    const detail = cause instanceof Error ? `${message}: ${cause.message}` : message
    return { against: `a signature by a certificate that does not verify (${detail})` }
  }
  const subject = found?.subjectAlternativeName ?? ''
  const issuer = found?.extensions?.issuer ?? ''
  const signer = `${subject} (${issuer})`
  return signers.isTrusted(subject, issuer) ? { signer } : { against: `a signature by ${signer}` }
}

function digestIn(payload: Buffer): unknown {
  const { critical } = JSON.parse(payload.toString()) as {
    critical?: { type?: string; image?: Record<string, unknown> }
  }
  return critical?.type === 'cosign container image signature' ? critical.image?.['docker-manifest-digest'] : undefined
}

/** cosign signs with SHA-256, but for Ed25519, which has its own. */
function isSigned(payload: Buffer, key: KeyObject, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key, signature)
}

/** What the annotations hold, as the bundle that says the same: version 0.1, which needs no proof beside Rekor's promise. */
function bundleOf(payload: Buffer, annotations: Readonly<Record<string, string>>): Bundle {
  const certificate = new X509Certificate(annotations['dev.sigstore.cosign/certificate'] ?? '')
  const rekor = annotations['dev.sigstore.cosign/bundle']
  const timestamp = annotations['dev.sigstore.cosign/rfc3161timestamp']
  return bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate.raw.toString('base64') }] },
      tlogEntries: rekor === undefined ? [] : [logEntryOf(JSON.parse(rekor) as RekorBundle)],
      timestampVerificationData: { rfc3161Timestamps: timestamp === undefined ? [] : [timestampOf(timestamp)] },
    },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(payload).digest('base64') },
      signature: annotations['dev.cosignproject.cosign/signature'],
    },
  })
}

interface RekorBundle {
  SignedEntryTimestamp: string
  Payload: { body: string; integratedTime: number; logIndex: number; logID: string }
}

function logEntryOf({ SignedEntryTimestamp, Payload }: RekorBundle) {
  const { kind, apiVersion } = JSON.parse(Buffer.from(Payload.body, 'base64').toString()) as Record<string, string>
  return {
    logIndex: String(Payload.logIndex),
    logId: { keyId: Buffer.from(Payload.logID, 'hex').toString('base64') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(Payload.integratedTime),
    inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
    canonicalizedBody: Payload.body,
  }
}

function timestampOf(annotation: string) {
  return { signedTimestamp: (JSON.parse(annotation) as { SignedRFC3161Timestamp: string }).SignedRFC3161Timestamp }
}

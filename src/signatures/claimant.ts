import { X509Certificate } from 'node:crypto'
import type { Claim } from './claims.ts'

/** Whom a signature names as who made it, in words for people; nothing of it is verified. Undefined for what is none. */
export function claimantOf(claim: Claim): string | undefined {
  try {
    if (claim.kind === 'simple') {
      const certificate = claim.annotations['dev.sigstore.cosign/certificate']
      return certificate === undefined ? 'a key' : identityIn(new X509Certificate(certificate))
    }
    const { verificationMaterial: material } = JSON.parse(claim.json.toString()) as Bundle
    const raw = material?.certificate?.rawBytes ?? material?.x509CertificateChain?.certificates?.[0]?.rawBytes
    return raw === undefined ? 'a key' : identityIn(new X509Certificate(Buffer.from(raw, 'base64')))
  } catch {
    // It is whatever somebody has pushed.
    return undefined
  }
}

/** A Sigstore bundle (sigstore_bundle.proto), as far as it is there. */
interface Bundle {
  verificationMaterial?: {
    certificate?: { rawBytes?: string }
    x509CertificateChain?: { certificates?: { rawBytes?: string }[] }
  }
}

/** The e-mail address or URI of a certificate. */
function identityIn({ subjectAltName = '' }: X509Certificate): string {
  return subjectAltName.split(', ')[0]!.replace(/^[A-Za-z]+:/, '') || 'somebody without a name'
}

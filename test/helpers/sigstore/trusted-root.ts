import { createHash } from 'node:crypto'

export interface RootParts {
  authority: { rootCertificate: Buffer }
  certificates: { publicKey: Buffer; logID: Buffer }
  logKey: Buffer
  logUntil: Date | undefined
}

/** A `trusted_root.json`. */
export function trustedRoot({ authority, certificates, logKey, logUntil }: RootParts): string {
  const validFor = { start: '2020-01-01T00:00:00Z' }
  const log = (baseUrl: string, publicKey: Buffer, id: Buffer, end?: Date) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: base64(publicKey),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { ...validFor, ...(end && { end: end.toISOString() }) },
    },
    logId: { keyId: base64(id) },
  })
  const chain = { certificates: [{ rawBytes: base64(authority.rootCertificate) }] }
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log('https://rekor.test', logKey, createHash('sha256').update(logKey).digest(), logUntil)],
    certificateAuthorities: [{ subject: {}, uri: 'https://fulcio.test', certChain: chain, validFor }],
    ctlogs: [log('https://ctfe.test', certificates.publicKey, certificates.logID)],
    timestampAuthorities: [],
  })
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

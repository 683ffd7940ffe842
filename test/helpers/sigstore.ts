import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { initializeCA } from '@sigstore/mock/dist/fulcio/ca.js'
import { initializeTLog } from '@sigstore/mock/dist/rekor/tlog.js'
import { makeFolder } from './folder.ts'
import { bundleLayer, payloadOf, preAuthEncoding, simpleLayer, statementOf, type SignatureLayer } from './signing.ts'

// A Sigstore of the test's own: a certificate authority, a log of certificates and a log of signatures, with keys made here.

export interface KeylessOptions {
  subject?: string
  issuer?: string
  /** How long after the certificate began, which is good for ten minutes, the signature was logged, in minutes. */
  after?: number
}

export const builder = {
  subject: 'https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1',
  issuer: 'https://token.actions.githubusercontent.com',
}

export interface Sigstore {
  /** A `trusted_root.json`. */
  readonly rootFile: string
  simple(digest: string, options?: KeylessOptions): Promise<SignatureLayer>
  bundle(digest: string, options?: KeylessOptions): Promise<SignatureLayer>
}

const makeKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const minute = 60_000

/** `logUntil`: the end of the time in which the log of signatures is trusted. `certificateLog: false`: certificates are not logged. */
export async function makeSigstore({
  logUntil,
  certificateLog = true,
}: { logUntil?: Date; certificateLog?: boolean } = {}): Promise<Sigstore> {
  const certificates = makeCertificateLog()
  const authority = await initializeCA(makeKeys(), certificateLog ? certificates : undefined)
  const logKeys = makeKeys()
  const logAt = (time: number) => initializeTLog('https://rekor.test', logKeys, new Date(time))
  const { publicKey: logKey } = await logAt(0)

  const root = trustedRoot({ authority, certificates, logKey, logUntil })

  async function signAs(bytes: Buffer, { subject, issuer } = builder) {
    const { publicKey, privateKey } = makeKeys()
    const certificate = await authority.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: subject,
      extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: issuer }],
    })
    return { certificate, signature: sign('sha256', bytes, privateKey).toString('base64') }
  }

  async function log(entry: object, after: number) {
    const logged: unknown = await (await logAt(Date.now() + after * minute)).log(entry)
    return Object.values(logged as Record<string, LogEntry>)[0]!
  }

  return {
    rootFile: join(makeFolder({ 'trusted_root.json': root }), 'trusted_root.json'),
    async simple(digest, { after = 1, ...identity } = {}) {
      const payload = payloadOf(digest)
      const { certificate, signature } = await signAs(Buffer.from(payload), { ...builder, ...identity })
      const pem = toPem(certificate)
      const hash = { algorithm: 'sha256', value: hex(payload) }
      const content = { content: signature, publicKey: { content: base64(pem) } }
      const entry = await log(
        { apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data: { hash }, signature: content } },
        after,
      )
      const { body, integratedTime, logIndex, logID } = entry
      const rekor = {
        SignedEntryTimestamp: entry.verification.signedEntryTimestamp,
        Payload: { body, integratedTime, logIndex, logID },
      }
      return simpleLayer(payload, signature, {
        'dev.sigstore.cosign/certificate': pem,
        'dev.sigstore.cosign/bundle': JSON.stringify(rekor),
      })
    },
    async bundle(digest, { after = 1, ...identity } = {}) {
      const statement = statementOf(digest)
      const { certificate, signature } = await signAs(preAuthEncoding(statement), { ...builder, ...identity })
      const signatures = [{ signature, verifier: base64(toPem(certificate)) }]
      const payloadHash = { algorithm: 'sha256', value: hex(statement) }
      const entry = await log({ apiVersion: '0.0.1', kind: 'dsse', spec: { payloadHash, signatures } }, after)
      const material = { certificate: { rawBytes: base64(certificate) }, tlogEntries: [logEntry(entry)] }
      return bundleLayer(material, statement, signature)
    },
  }
}

/** A log of certificates (RFC 6962): its receipt for one that is about to be issued becomes part of it. */
function makeCertificateLog() {
  const { publicKey, privateKey } = makeKeys()
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const logID = createHash('sha256').update(key).digest()
  const log = (certificate: ArrayBuffer, issuer: ArrayBuffer): Promise<ArrayBuffer> => {
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(Date.now()))
    const content = toBeSigned(Buffer.from(certificate))
    const entry = Buffer.concat([
      Buffer.from([0, 1]),
      Buffer.from(issuer),
      lengthOf(content, 3),
      content,
      Buffer.from([0, 0]),
    ])
    const signature = sign('sha256', Buffer.concat([Buffer.from([0, 0]), time, entry]), privateKey)
    const [extensions, sha256WithEcdsa] = [Buffer.from([0, 0]), Buffer.from([4, 3])]
    const parts = [Buffer.from([0]), logID, time, extensions, sha256WithEcdsa, lengthOf(signature, 2), signature]
    const receipt = Buffer.concat(parts)
    return Promise.resolve(new Uint8Array(Buffer.concat([lengthOf(receipt, 2), receipt])).buffer)
  }
  return { publicKey: key, logID, log }
}

/** The part of a certificate that is signed: its first element. Both are of 256 to 65,535 bytes, so that a head is of four. */
function toBeSigned(certificate: Buffer): Buffer {
  return certificate.subarray(4, 8 + certificate.readUInt16BE(6))
}

function lengthOf(bytes: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width)
  length.writeUIntBE(bytes.length, 0, width)
  return length
}

interface LogEntry {
  body: string
  integratedTime: number
  logIndex: number
  logID: string
  verification: {
    signedEntryTimestamp: string
    inclusionProof: { logIndex: number; treeSize: number; checkpoint: string; hashes: string[]; rootHash: string }
  }
}

function logEntry({ body, integratedTime, logIndex, logID, verification }: LogEntry) {
  const { inclusionProof: proof, signedEntryTimestamp } = verification
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(proof.logIndex),
      treeSize: String(proof.treeSize),
      rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
      hashes: [],
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  }
}

interface RootParts {
  authority: { rootCertificate: Buffer }
  certificates: { publicKey: Buffer; logID: Buffer }
  logKey: Buffer
  logUntil: Date | undefined
}

function trustedRoot({ authority, certificates, logKey, logUntil }: RootParts): string {
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

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString('base64')
const hex = (text: string): string => createHash('sha256').update(text).digest('hex')

function toPem(der: Uint8Array): string {
  const lines = base64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { initializeCA } from '@sigstore/mock/dist/fulcio/ca.js'
import { initializeTLog } from '@sigstore/mock/dist/rekor/tlog.js'
import { makeFolder } from './folder.ts'
import { bundleLayer, payloadOf, preAuthEncoding, simpleLayer, statementOf, type SignatureLayer } from './signing.ts'
import { makeCertificateLog } from './sigstore/certificate-log.ts'
import { trustedRoot } from './sigstore/trusted-root.ts'

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

export interface SigstoreOptions {
  /** The end of the time in which the log of signatures is trusted. */
  logUntil?: Date
  /** Whether certificates are logged. */
  certificateLog?: boolean
}

const makeKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const minute = 60_000

export async function makeSigstore({ logUntil, certificateLog = true }: SigstoreOptions = {}): Promise<Sigstore> {
  const certificates = makeCertificateLog()
  const authority = await initializeCA(makeKeys(), certificateLog ? certificates : undefined)
  const logKeys = makeKeys()
  const logAt = (time: number) => initializeTLog('https://rekor.test', logKeys, new Date(time))
  const { publicKey: logKey } = await logAt(0)
  const root = trustedRoot({ authority, certificates, logKey, logUntil })
  return new Sigstore(join(makeFolder({ 'trusted_root.json': root }), 'trusted_root.json'), authority, logAt)
}

type Authority = Awaited<ReturnType<typeof initializeCA>>
type Log = Awaited<ReturnType<typeof initializeTLog>>

export class Sigstore {
  /** A `trusted_root.json`. */
  readonly rootFile: string
  readonly #authority: Authority
  readonly #logAt: (time: number) => Promise<Log>

  constructor(rootFile: string, authority: Authority, logAt: (time: number) => Promise<Log>) {
    this.rootFile = rootFile
    this.#authority = authority
    this.#logAt = logAt
  }

  async simple(digest: string, { after = 1, ...identity }: KeylessOptions = {}): Promise<SignatureLayer> {
    const payload = payloadOf(digest)
    const { certificate, signature } = await this.#sign(Buffer.from(payload), { ...builder, ...identity })
    const pem = toPem(certificate)
    const data = { hash: { algorithm: 'sha256', value: hex(payload) } }
    const signed = { content: signature, publicKey: { content: base64(pem) } }
    const { body, integratedTime, logIndex, logID, verification } = await this.#log(
      { apiVersion: '0.0.1', kind: 'hashedrekord', spec: { data, signature: signed } },
      after,
    )
    const rekor = {
      SignedEntryTimestamp: verification.signedEntryTimestamp,
      Payload: { body, integratedTime, logIndex, logID },
    }
    return simpleLayer(payload, signature, {
      'dev.sigstore.cosign/certificate': pem,
      'dev.sigstore.cosign/bundle': JSON.stringify(rekor),
    })
  }

  async bundle(digest: string, { after = 1, ...identity }: KeylessOptions = {}): Promise<SignatureLayer> {
    const statement = statementOf(digest)
    const { certificate, signature } = await this.#sign(preAuthEncoding(statement), { ...builder, ...identity })
    const signatures = [{ signature, verifier: base64(toPem(certificate)) }]
    const hash = { algorithm: 'sha256', value: hex(statement) }
    const entry = await this.#log(
      { apiVersion: '0.0.1', kind: 'dsse', spec: { envelopeHash: hash, payloadHash: hash, signatures } },
      after,
    )
    const material = { certificate: { rawBytes: base64(certificate) }, tlogEntries: [logEntry(entry)] }
    return bundleLayer(material, statement, signature)
  }

  async #sign(bytes: Buffer, { subject, issuer }: typeof builder) {
    const { publicKey, privateKey } = makeKeys()
    const certificate = await this.#authority.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: subject,
      // Fulcio says it in two ways, of which the first came first.
      extensions: [
        { oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true },
        { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
      ],
    })
    return { certificate, signature: sign('sha256', bytes, privateKey).toString('base64') }
  }

  async #log(entry: object, after: number): Promise<LogEntry> {
    const log = await this.#logAt(Date.now() + after * minute)
    const logged: unknown = await log.log(entry)
    return Object.values(logged as Record<string, LogEntry>)[0]!
  }
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

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString('base64')
const hex = (text: string): string => createHash('sha256').update(text).digest('hex')

function toPem(der: Uint8Array): string {
  const lines = base64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toTrustMaterial, Verifier } from '@sigstore/verify'
import { namePattern } from '../oci/pattern.ts'

/** A keyless signer: what the certificate of a signature must say. */
export interface IdentitySettings {
  /** The OpenID issuer that vouched for the subject, exactly. */
  readonly issuer: string
  /** An e-mail address or a URI, exactly; or a pattern of one. */
  readonly subject?: string
  readonly subjectPattern?: string
}

export interface SignerSettings {
  /** PEM files of public keys. */
  readonly keys: readonly string[]
  readonly identities: readonly IdentitySettings[]
}

interface SigningKey {
  /** The file's name without its folder. */
  readonly name: string
  readonly key: KeyObject
}

/** Whose signatures count: any one of them is enough. */
export interface Signers {
  readonly keys: readonly SigningKey[]
  /** Verifies a keyless signature up to who made it; undefined where no identity is trusted. */
  readonly verifier: Verifier | undefined
  /** Whether an identity that `verifier` has found is a trusted one. */
  isTrusted(subject: string, issuer: string): boolean
  /** Who they are, for people. */
  readonly description: string
  /** Equal where the same signers are trusted by the same root. */
  readonly fingerprint: string
}

/** Verifies certificates as a trusted root says; the files that Sigstore publishes are called `trusted_root.json`. */
export interface Trust {
  readonly verifier: Verifier
  /** A digest of the root's text. */
  readonly fingerprint: string
}

/** Throws when the file cannot be read or is no trusted root. */
export async function readTrust(file: string): Promise<Trust> {
  const text = await readFile(file, 'utf8')
  try {
    const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text))))
    return { verifier, fingerprint: fingerprintOf(text) }
  } catch (cause) {
    throw new Error(`signatures.trustedRootFile must be a trusted root of Sigstore's, saw ${file}, which is not`, {
      cause,
    })
  }
}

/** Reads the keys. Throws when a file cannot be read or holds no public key. */
export async function readSigners(settings: SignerSettings, trust: Trust | undefined): Promise<Signers> {
  const keys = await Promise.all(settings.keys.map(readKey))
  const identities = settings.identities.map(makeIdentity)
  const keyless = identities.length > 0 ? trust : undefined
  const trusted = [keys.map(({ key }) => key.export({ type: 'spki', format: 'pem' })), settings.identities]
  return {
    keys,
    verifier: keyless?.verifier,
    isTrusted: (subject, issuer) => identities.some((identity) => identity.fits(subject, issuer)),
    description: [...keys, ...identities].map(({ name }) => name).join(' or '),
    fingerprint: fingerprintOf(JSON.stringify([trusted, keyless?.fingerprint])),
  }
}

async function readKey(file: string): Promise<SigningKey> {
  return { name: path.basename(file), key: createPublicKey(await readFile(file)) }
}

function makeIdentity({ issuer, subject, subjectPattern = '' }: IdentitySettings) {
  const fitsSubject = subject === undefined ? namePattern(subjectPattern) : (seen: string) => seen === subject
  return {
    name: `${subject ?? subjectPattern} (${issuer})`,
    fits: (seen: string, by: string) => by === issuer && fitsSubject(seen),
  }
}

const fingerprintOf = (text: string): string => createHash('sha256').update(text).digest('hex')

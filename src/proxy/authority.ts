import { randomBytes, webcrypto } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import path from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** Berth's own certificate authority, which the proxy's clients must trust. */
export interface Authority {
  /** Its certificate, in PEM. */
  readonly certificate: string
  /** What a TLS server needs to be `host`. Certificates are made when they are needed, and kept until they are about to end. */
  contextFor(host: string): Promise<SecureContext>
}

const day = 24 * 3_600_000
const lifeOfAuthority = 3650 * day
/** Short, for nobody can revoke one. */
const lifeOfLeaf = 7 * day
/** Clocks of clients may be behind ours by this much. */
const clockSkew = day
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

interface Keys {
  certificate: X509Certificate
  key: webcrypto.CryptoKey
}

/** Opens the authority of a data folder, and makes it at first use. Only the owner may read its file, which holds the key. */
export async function openAuthority(data: string, now: () => number = Date.now): Promise<Authority> {
  const keys = await readOrMake(path.join(data, 'proxy-ca.pem'), now())
  const leafKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const leafKey = await pemOfKey(leafKeys.privateKey)
  const contexts = new Map<string, { made: Promise<SecureContext>; until: number }>()

  const make = async (host: string): Promise<SecureContext> => {
    const cert = await issue(keys, { host, publicKey: leafKeys.publicKey, now: now() })
    return createSecureContext({ key: leafKey, cert: cert.toString('pem'), minVersion: 'TLSv1.2' })
  }

  return {
    certificate: `${keys.certificate.toString('pem')}\n`,
    contextFor(host) {
      const known = contexts.get(host)
      if (known && now() < known.until) return known.made
      const made = make(host)
      contexts.set(host, { made, until: now() + lifeOfLeaf - 2 * day })
      return made
    },
  }
}

async function readOrMake(file: string, now: number): Promise<Keys> {
  const found = await read(file)
  if (found) return found
  const text = await makeAuthority(now)
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { mode: 0o600 })
  try {
    // Two processes may make it at once: the first to link it is right for both.
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return (await read(file))!
}

async function read(file: string): Promise<Keys | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [certificate, key] = PemConverter.decode(text)
  if (!certificate || !key) {
    throw new Error(
      `${file} must hold the proxy's certificate and key; remove it, and a new one is made at the next start`,
    )
  }
  const imported = await webcrypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign'])
  return { certificate: new X509Certificate(certificate), key: imported }
}

/**
 * It is not constrained to the upstreams' hosts (RFC 5280, 4.2.1.10): each new upstream would then take a new authority, and a
 * walk to all clients. Who wants less trusts it for single hosts, as clients can.
 */
async function makeAuthority(now: number): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Two authorities of one name would be taken for each other.
    name: `CN=Berth proxy ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(now - clockSkew),
    notAfter: new Date(now + lifeOfAuthority),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n${await pemOfKey(keys.privateKey)}\n`
}

interface Leaf {
  host: string
  publicKey: webcrypto.CryptoKey
  now: number
}

function issue({ certificate, key }: Keys, { host, publicKey, now }: Leaf): Promise<X509Certificate> {
  return X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // A name may be longer than a common name may be; clients read the alternative names.
    subject: 'CN=Berth proxy',
    issuer: certificate.subject,
    notBefore: new Date(now - clockSkew),
    notAfter: new Date(now + lifeOfLeaf),
    signingAlgorithm: algorithm,
    signingKey: key,
    publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]),
    ],
  })
}

/** Positive, and of 16 bytes. */
const serialNumber = (): string => `4${randomBytes(16).toString('hex').slice(1)}`

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)

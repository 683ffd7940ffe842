import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { makeFolder } from './folder.ts'
import type { ManifestSpec } from './manifest-spec.ts'
import type { Upstream } from './upstream.ts'

// Signatures of manifests in the two forms that cosign writes them, by keys made here; sigstore.ts has those without keys.

export const types = {
  simple: 'application/vnd.dev.cosign.simplesigning.v1+json',
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
}

export const predicates = {
  sign: 'https://sigstore.dev/cosign/sign/v1',
  scan: 'https://cosign.sigstore.dev/attestation/vuln/v1',
}

/** A layer of a signature: its bytes, and what stands beside it in the manifest. */
export interface SignatureLayer {
  mediaType: string
  content: string
  annotations?: Record<string, string>
}

/** Somebody who signs manifests by their digest. */
export interface KeySigner {
  /** A PEM file of the public key. */
  readonly file: string
  readonly pem: string
  simple(digest: string, changes?: { payload?: string }): SignatureLayer
  bundle(digest: string, changes?: { predicateType?: string }): SignatureLayer
}

export function makeSigner(kind: 'ec' | 'rsa' | 'ed25519' = 'ec', name = `${kind}.pub`): KeySigner {
  const { publicKey, privateKey } = makeKeys(kind)
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const file = join(makeFolder({ [name]: pem }), name)
  const algorithm = kind === 'ed25519' ? null : 'sha256'
  const signed = (bytes: string | Buffer) => sign(algorithm, Buffer.from(bytes), privateKey).toString('base64')
  return {
    file,
    pem,
    simple(digest, { payload = payloadOf(digest) } = {}) {
      return simpleLayer(payload, signed(payloadOf(digest)))
    },
    bundle(digest, { predicateType } = {}) {
      const statement = statementOf(digest, predicateType)
      return bundleLayer({ publicKey: { hint: 'key' } }, statement, signed(preAuthEncoding(statement)))
    },
  }
}

function makeKeys(kind: 'ec' | 'rsa' | 'ed25519'): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
}

/** What cosign signs of a manifest in simple-signing form. */
export function payloadOf(digest: string): string {
  const image = { 'docker-manifest-digest': digest }
  const identity = { 'docker-reference': 'registry.example/org/app' }
  return JSON.stringify({ critical: { identity, image, type: 'cosign container image signature' }, optional: null })
}

export function simpleLayer(payload: string, signature: string, annotations = {}): SignatureLayer {
  const own = { 'dev.cosignproject.cosign/signature': signature }
  return { mediaType: types.simple, content: payload, annotations: { ...own, ...annotations } }
}

/** What cosign signs of a manifest in a bundle: an in-toto statement. */
export function statementOf(digest: string, predicateType = predicates.sign): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  const subject = [{ digest: { [algorithm]: hex } }]
  return JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} })
}

const payloadType = 'application/vnd.in-toto+json'

/** DSSE, protocol.md: what is signed of a statement. */
export function preAuthEncoding(statement: string): Buffer {
  const length = Buffer.byteLength(statement)
  return Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${length} ${statement}`)
}

export function bundleLayer(verificationMaterial: object, statement: string, signature: string): SignatureLayer {
  const payload = Buffer.from(statement).toString('base64')
  const dsseEnvelope = { payload, payloadType, signatures: [{ sig: signature }] }
  return {
    mediaType: types.bundle,
    content: JSON.stringify({ mediaType: types.bundle, verificationMaterial, dsseEnvelope }),
  }
}

/** Puts signatures where cosign used to: the tag `sha256-<hex>.sig`. Returns the tag. */
export function attachByTag(
  upstream: Upstream,
  repository: string,
  digest: string,
  ...layers: SignatureLayer[]
): string {
  const tag = `${digest.replace(':', '-')}.sig`
  const name = push(upstream, repository, layers, {})
  upstream.retag(repository, tag, name)
  return tag
}

/** Puts a signature where cosign does now: a referrer. Returns its manifest's digest. */
export function attachByReferrer(
  upstream: Upstream,
  repository: string,
  digest: string,
  layer: SignatureLayer,
): string {
  const annotations = {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': predicates.sign,
  }
  const name = push(upstream, repository, [layer], { artifactType: layer.mediaType, subject: digest, annotations })
  return upstream.content.digest(repository, name)
}

function push(
  upstream: Upstream,
  repository: string,
  layers: SignatureLayer[],
  more: Pick<ManifestSpec, 'artifactType' | 'subject' | 'annotations'>,
) {
  const id = createHash('sha256')
    .update(JSON.stringify([layers, more]))
    .digest('hex')
    .slice(0, 12)
  const blobs = Object.fromEntries(layers.map(({ content }, index) => [`${id} ${index}`, content]))
  const entries = layers.map(({ mediaType, annotations }, index) => {
    return { of: `${id} ${index}`, mediaType, ...(annotations && { annotations }) }
  })
  upstream.push(repository, {
    blobs: { ...blobs, [`${id} config`]: '{}' },
    manifests: { [id]: { config: `${id} config`, layers: entries, ...more } },
  })
  return id
}

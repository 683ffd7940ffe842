import { createHash, type Hash } from 'node:crypto'
import { RegistryError } from './errors.ts'

/** `sha256:<64 hex>` or `sha512:<128 hex>`; only made by `parseDigest` and `digestOf`. */
export type Digest = string & { readonly __brand: 'Digest' }
export type Algorithm = 'sha256' | 'sha512'

const hexLength: Record<Algorithm, number> = { sha256: 64, sha512: 128 }

/** Reads a digest. Throws DIGEST_INVALID naming what was seen; an algorithm other than sha256 and sha512 is refused. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new RegistryError('DIGEST_INVALID', `digest must be sha256:<64 hex> or sha512:<128 hex>, saw ${quote(text)}`)
  }
  return text
}

export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(':')
  const algorithm = text.slice(0, colon)
  if (algorithm !== 'sha256' && algorithm !== 'sha512') return false
  return text.length === colon + 1 + hexLength[algorithm] && isLowerHex(text, colon + 1)
}

// A loop, not a regular expression: this stands on the path of every request.
function isLowerHex(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102))) return false
  }
  return true
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512'
}

export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(bytes), algorithm)
}

export function finishDigest(hash: Hash, algorithm: Algorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest
}

/** Quotes what a client sent for a message: short, and without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

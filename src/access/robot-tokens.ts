import { createHash, randomBytes } from 'node:crypto'

/** So that people and scanners of leaked secrets know one when they see it. */
const prefix = 'berth_'

/** A new token of 256 random bits. It is shown once; only its hash is kept. */
export function makeToken(): { token: string; id: string; secretHash: string } {
  const token = prefix + randomBytes(32).toString('base64url')
  return { token, id: randomBytes(5).toString('hex'), secretHash: hashOf(token) }
}

export function looksLikeToken(password: string): boolean {
  return password.length === 49 && password.startsWith(prefix)
}

/** SHA-256 is enough for what cannot be guessed; looking it up by its hash tells nothing by its time. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

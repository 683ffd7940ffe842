import { z } from 'zod'
import { text } from './checks.ts'

/** What an ID token must say: one claim or more, each with a pattern. */
export function claims() {
  return z
    .record(z.string(), text('a pattern, as text'), { error: 'claims and patterns of them' })
    .refine((wanted) => Object.keys(wanted).length > 0, { error: 'one claim or more: without, all the world fits' })
}

/** An issuer as its tokens name it, to the letter (OpenID Connect Discovery 1.0, 3). Keys that came in the clear could be anybody's. */
export function issuer() {
  return text('an https:// URL as the tokens name it (http:// on loopback)', isIssuer)
}

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  if (username + password + search + hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
}

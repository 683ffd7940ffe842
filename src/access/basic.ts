export interface BasicCredentials {
  readonly username: string
  readonly password: string
}

/** Reads `Basic` credentials (RFC 7617). Empty ones, which podman sends after a logout, are none, and so is any other scheme. */
export function readBasic(authorization: string | undefined): BasicCredentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_-]+=*) *$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0 || text === ':') return undefined
  // Only the first colon divides: passwords may hold more.
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

import { isIP } from 'node:net'

/** Where a CONNECT wants to go. The host is in lower case, without brackets and without a root dot. */
export interface Target {
  readonly host: string
  readonly port: number
}

const authorityForm = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?)\.?):(\d{1,5})$/

/** Reads a CONNECT's target (RFC 9112, 3.2.3): a host and a port and nothing else. Undefined for anything else. */
export function parseTarget(text: string): Target | undefined {
  const [, ipv6, name, digits] = authorityForm.exec(text.toLowerCase()) ?? []
  const port = Number(digits)
  if (!(port >= 1 && port <= 65_535) || name?.includes('..')) return undefined
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? { host: ipv6, port } : undefined
  return { host: name!, port }
}

/** The target as configurations name it: without the port that HTTPS has anyway. */
export function nameOf({ host, port }: Target): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return port === 443 ? bracketed : `${bracketed}:${port}`
}

/**
 * How a list of `host`, `host:port`, `*.host` and `*` allows a target: by its very name, by a pattern, or not at all.
 * Without a port an entry is for 443 alone. `*.host` does not fit `host`.
 */
export function allowed(list: readonly string[], target: Target): 'by name' | 'by pattern' | undefined {
  const name = nameOf(target)
  const entries = list.map((entry) => entry.toLowerCase().replace(/:443$/, ''))
  if (entries.includes(name)) return 'by name'
  // An address is no name that a pattern could mean.
  if (isIP(target.host) !== 0) return undefined
  const fits = (entry: string) => entry.startsWith('*') && name.endsWith(entry.slice(1)) && entry !== name
  const samePort = (entry: string) => (entry === '*' ? target.port === 443 : true)
  return entries.some((entry) => fits(entry) && samePort(entry)) ? 'by pattern' : undefined
}

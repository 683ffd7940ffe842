// Who sent a request, and to which URL: as the socket and the Host header say, or as a trusted proxy in front says for them.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

export interface ForwardedOptions {
  /** Addresses and ranges (10.0.0.0/8) whose X-Forwarded-* headers, or Forwarded (RFC 7239), are believed. */
  trustedProxies?: readonly string[]
  /** The URL that clients use, whatever a request says; without a slash at its end. */
  publicUrl?: string | undefined
}

export interface Forwarded {
  /** The client's address: of those that a request passed, the last that is no trusted proxy. */
  addressOf: (incoming: IncomingMessage) => string | undefined
  /** The URL under which the client sees this server, without a slash at its end. Undefined when nothing well-formed tells. */
  urlOf: (incoming: IncomingMessage) => string | undefined
}

export function createForwarded({ trustedProxies = [], publicUrl }: ForwardedOptions): Forwarded {
  const trusted = trustedProxies.length > 0 ? listOf(trustedProxies) : undefined
  const isTrusted = (address: string | undefined) =>
    address !== undefined && trusted?.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') === true

  return {
    addressOf(incoming) {
      const peer = incoming.socket.remoteAddress
      if (!trusted || !isTrusted(peer)) return peer
      let client = peer
      // Only what the nearest proxies wrote counts: the front of the list is whatever the client wished it to be.
      for (const hop of hopsOf(incoming).for.reverse()) {
        const address = addressIn(hop)
        if (address === undefined) break
        client = address
        if (!isTrusted(address)) break
      }
      return client
    },
    urlOf(incoming) {
      if (publicUrl !== undefined) return publicUrl
      const hops = isTrusted(incoming.socket.remoteAddress) ? hopsOf(incoming) : undefined
      const scheme = hops?.proto.at(-1)?.toLowerCase()
      const host = hops?.host.at(-1) ?? incoming.headers.host
      if (host === undefined || !hostForm.test(host)) return undefined
      return `${scheme === 'http' || scheme === 'https' ? scheme : ownScheme(incoming)}://${host}`
    },
  }
}

const hostForm = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

const ownScheme = (incoming: IncomingMessage): string => ('encrypted' in incoming.socket ? 'https' : 'http')

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** What proxies wrote of those that a request passed, from the first to the nearest. */
type Hops = Record<'for' | 'proto' | 'host', string[]>

function hopsOf(incoming: IncomingMessage): Hops {
  const [addresses, protos, hosts] = xForwarded.map((header) => listed(incoming, header)) as [
    string[],
    string[],
    string[],
  ]
  const given = addresses.length + protos.length + hosts.length > 0
  // Nearly every proxy writes X-Forwarded-* and hands on a Forwarded of the client's as it came.
  return given ? { for: addresses, proto: protos, host: hosts } : standardHops(listed(incoming, 'forwarded'))
}

const xForwarded = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']

/** The elements of Forwarded: `for="[2001:db8::1]:4711";proto=https;host=r.example.com` (RFC 7239, 4). */
function standardHops(elements: string[]): Hops {
  const hops: Hops = { for: [], proto: [], host: [] }
  for (const pair of elements.flatMap((element) => element.split(';'))) {
    const [, name, quoted, plain] = /^(for|proto|host)=(?:"([^"]*)"|([^"]*))$/i.exec(pair.trim()) ?? []
    if (name !== undefined) hops[name.toLowerCase() as keyof Hops].push(quoted ?? plain!)
  }
  return hops
}

/** The items of a list header; those that matter here have no comma in them. */
function listed(incoming: IncomingMessage, header: string): string[] {
  const value = incoming.headers[header]
  const text = Array.isArray(value) ? value.join(',') : (value ?? '')
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Some proxies write a port behind the address, and brackets around one of IPv6. */
function addressIn(hop: string): string | undefined {
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
  return isIP(address) === 0 ? undefined : address
}

// Plain JavaScript: the transfer thread needs it, too.
import { lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'

/** Addresses that are no place in the public internet: this machine, its network, what is set apart (RFC 6890), what holds another address. */
const inner = new BlockList()
for (const [net, prefix] of /** @type {[string, number][]} */ ([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
])) {
  inner.addSubnet(net, prefix, 'ipv4')
  // By NAT64 a network without IPv4 reaches the public internet as well; the address it holds tells (RFC 6052).
  inner.addSubnet(`64:ff9b::${net}`, 96 + prefix, 'ipv6')
}
for (const [net, prefix] of /** @type {[string, number][]} */ ([
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
])) {
  inner.addSubnet(net, prefix, 'ipv6')
}

/**
 * Whether an IP address literal (brackets allowed) is one that only this machine or its own networks reach.
 * @param {string} host
 * @returns {boolean}
 */
export function isInnerAddress(host) {
  const address = host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const kind = isIP(address)
  if (kind === 0) return address === 'localhost' || address.endsWith('.localhost')
  // IPv4 addresses in IPv6 form (`::ffff:`) are taken for what they stand for.
  return inner.check(address, kind === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Whether a host name resolves to an inner address; false when it does not resolve.
 * @param {string} host
 * @returns {Promise<boolean>}
 */
export function resolvesInside(host) {
  if (isInnerAddress(host)) return Promise.resolve(true)
  return new Promise((resolve) => {
    lookup(host, { all: true }, (error, found) => resolve(!error && found.some((a) => isInnerAddress(a.address))))
  })
}

/**
 * Resolves names to addresses of the public internet alone; fails with the code EINNER where a name has no other than inner
 * ones. What is checked is what is dialled: a name that resolves to another address a moment later gains nothing.
 * @type {import('node:net').LookupFunction}
 */
export const publicLookup = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '', 0)
    const outside = found.filter((a) => !isInnerAddress(a.address))
    const first = outside[0]
    if (!first) {
      const refused = Object.assign(new Error(`${host} resolves to an inner address`), { code: 'EINNER' })
      return callback(refused, '', 0)
    }
    if (options.all) callback(null, outside)
    else callback(null, first.address, first.family)
  })
}

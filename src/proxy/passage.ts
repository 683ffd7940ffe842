import { lookup } from 'node:dns'
import { BlockList, connect, isIP, type LookupFunction, type Socket } from 'node:net'
import type { Target } from './target.ts'

/** A tunnel over which nothing has come for this long is closed, in milliseconds. */
const idle = 600_000
const connectTimeout = 10_000

/** Addresses that are no place in the public internet: this machine, its network, what is set apart (RFC 6890), what holds another address. */
const inside = new BlockList()
for (const [address, bits] of [
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
] as const) {
  inside.addSubnet(address, bits, 'ipv4')
}
for (const [address, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  inside.addSubnet(address, bits, 'ipv6')
}

/** Whether a name may not lead to an address by a pattern alone. IPv4 addresses in IPv6 form are what they stand for. */
export const isInside = (address: string): boolean => inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Connects to a target. `publicOnly` refuses a name that resolves to an address of this machine or its network. */
export function dial({ host, port }: Target, publicOnly: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, ...(publicOnly && { lookup: publicLookup }) })
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), connectTimeout)
    socket.once('error', reject)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('close', () => clearTimeout(timer))
  })
}

/** What is checked is what is dialled: a name that resolves to another address a moment later gains nothing. */
const publicLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    const open = addresses.filter(({ address }) => !isInside(address))
    if (open.length > 0) return options.all ? callback(null, open) : callback(null, open[0]!.address, open[0]!.family)
    callback(new Error('its address is one of this network, which a pattern does not allow'), [])
  })
}

/** Lets two sockets talk to each other until both have ended, one breaks, or nothing has come for long. */
export function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.setTimeout(idle, () => from.destroy())
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
    from.pipe(to)
  }
}

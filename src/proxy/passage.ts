import { connect, type LookupFunction, type Socket } from 'node:net'
import type { Target } from './target.ts'

/** A tunnel over which nothing has come for this long is closed, in milliseconds. */
const idle = 600_000
const connectTimeout = 10_000

/** Connects to a target, whose name `lookup` resolves where it is given: a refusal of its (EINNER) is told in words. */
export function dial({ host, port }: Target, lookup?: LookupFunction): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, ...(lookup && { lookup }) })
    const failed = (error: NodeJS.ErrnoException) => reject(error.code === 'EINNER' ? ofThisNetwork() : error)
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), connectTimeout)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(socket)
    })
    socket.once('close', () => clearTimeout(timer))
  })
}

const ofThisNetwork = () => new Error('its address is one of this network, which a pattern does not allow')

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

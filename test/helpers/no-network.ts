import net from 'node:net'
import { isIP } from 'node:net'

// No test reaches the network: every dial that does not go to a loopback address or a local socket is refused.
type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket
const socket = net.Socket.prototype as unknown as { connect: Connect }
const { connect } = socket

socket.connect = function (...args) {
  const host = dialledHost(args)
  if (host === undefined || isLoopback(host)) return connect.apply(this, args)
  return this.destroy(new Error(`a test tried to dial ${host}: tests may dial loopback only`))
}

function dialledHost(args: unknown[]): string | undefined {
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0]
  if (typeof first === 'object' && first !== null) {
    const options = first as { path?: string; host?: string }
    return options.path ? undefined : (options.host ?? 'localhost')
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return undefined
  return typeof args[1] === 'string' ? args[1] : 'localhost'
}

function isLoopback(host: string): boolean {
  if (isIP(host)) return host.startsWith('127.') || host === '::1'
  return host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.test') || host.endsWith('.invalid')
}

import type { Context } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Access } from '../access/access.ts'
import type { Visitor } from './visitor.ts'

export type AdminContext = Context<{ Bindings: HttpBindings }>

/** Who sends a request. */
export function visitorOf(c: AdminContext, access: Access): Visitor {
  const { headers, socket } = c.env.incoming
  const address = socket.remoteAddress
  // A proxy on this machine speaks for others; a page of the web cannot name this machine in Host.
  const forwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  const local = !forwarded && isLoopback(address ?? '') && isLoopback(hostname(headers.host ?? ''))
  return { identity: access.identify(headers.authorization), address, local }
}

/** Of a Host header, without its port. */
function hostname(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|(?:::ffff:)?127(?:\.\d+){3}|::1)$/i.test(host)
}

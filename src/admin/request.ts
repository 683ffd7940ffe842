import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { HttpBindings } from '@hono/node-server'
import { operator, type Access } from '../access/access.ts'
import { operatorHeader } from './operation.ts'
import type { Visitor } from './visitor.ts'

export type AdminContext = Context<{ Bindings: HttpBindings }>

/** Who sent a request and to which URL, also where a trusted proxy stands between. */
export interface Forwarded {
  addressOf(incoming: IncomingMessage): string | undefined
  /** Without a slash at its end; undefined when nothing well-formed tells. */
  urlOf(incoming: IncomingMessage): string | undefined
}

/** How a request is read. */
export interface Doorway {
  readonly access: Access
  readonly forwarded: Forwarded
}

/** Holds the session of somebody who logged in on the pages. */
export const sessionCookie = 'berth_session'

/** Who sends a request: by the session of a browser, or by a login of its own, as programs send it. */
export async function visitorOf(c: AdminContext, { access, forwarded }: Doorway): Promise<Visitor> {
  const { incoming } = c.env
  const { headers } = incoming
  // A proxy on this machine speaks for others; a page of the web cannot name this machine in Host.
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  const local =
    !isForwarded && isLoopback(incoming.socket.remoteAddress ?? '') && isLoopback(hostname(headers.host ?? ''))
  const address = forwarded.addressOf(incoming)
  const session = getCookie(c, sessionCookie)
  const identity =
    session === undefined ? await callerOf(access, headers.authorization, address) : await access.bySession(session)
  return { identity, address, local }
}

/** A program: `berth login` has got it a token of this API's own. */
async function callerOf(access: Access, authorization: string | undefined, address: string | undefined) {
  const bearer = /^bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1]
  const known = bearer === undefined ? undefined : await access.bySession(bearer, 'commands')
  return known?.user === undefined ? access.identify(authorization, address) : known
}

/** Whoever commands this machine. Which of its users that is, is what they say: they could write the log themselves. */
export async function operatorOf(c: AdminContext): Promise<Visitor> {
  const said = c.req.header(operatorHeader) ?? ''
  const name = /^[\w.@\\ -]{1,64}$/.test(said) ? said : 'unknown'
  return { identity: operator, address: `local user ${name}`, local: true }
}

/** Of a Host header, without its port. */
function hostname(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|(?:::ffff:)?127(?:\.\d+){3}|::1)$/i.test(host)
}

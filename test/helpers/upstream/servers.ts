import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import type { Content } from '../content.ts'
import { errorAnswer, type Answer } from './answer.ts'
import { Auth, type AuthContext } from './auth.ts'
import { Cdn } from './cdn.ts'
import { faultAnswer, Faults } from './faults.ts'
import { gzipped, withErrorBody, withoutLength } from './reshape.ts'
import { Journal, type Entry, type Role } from './journal.ts'
import { Listener } from './listener.ts'
import type { Behaviour } from './options.ts'
import type { Quirks } from './quirks.ts'
import { RateLimit } from './rate.ts'
import { readApi } from './read-api.ts'
import { routeOf } from './routes.ts'
import { send } from './send.ts'
import { issueToken } from './token-server.ts'

interface Parts {
  content: Content
  tls: { key: string; cert: string } | undefined
  now: () => number
  behaviour: Behaviour
}

/** The registry, its CDN and its token server, each on its own port: what comes in, who decides, how it goes out. */
export class Servers {
  readonly journal = new Journal()
  readonly auth = new Auth()
  readonly storage: Cdn
  readonly registry: Listener
  readonly cdn: Listener
  readonly token: Listener
  rate: RateLimit | undefined
  readonly #faults = new Faults()
  readonly #content: Content
  readonly #now: () => number
  #behaviour: Behaviour = {}

  constructor({ content, tls, now, behaviour }: Parts) {
    this.#content = content
    this.#now = now
    this.storage = new Cdn(now)
    const idleClose = () => this.#behaviour.idleClose
    const listener = (role: Role) =>
      new Listener({ tls, idleClose, handle: (request, response) => void this.#serve(role, request, response) })
    this.registry = listener('registry')
    this.cdn = listener('cdn')
    this.token = listener('token')
    this.set(behaviour)
  }

  set(changes: Behaviour): void {
    this.#behaviour = { ...this.#behaviour, ...changes }
    if ('faults' in changes) this.#faults.set(changes.faults)
    if ('rate' in changes) this.rate = changes.rate && new RateLimit(changes.rate)
  }

  hold(on: RegExp, after: number | undefined): () => void {
    return this.#faults.hold(on, after)
  }

  async start(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.start()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()))
  }

  closeIdle(): void {
    for (const listener of this.#listeners) listener.closeIdle()
  }

  get #listeners(): Listener[] {
    return [this.registry, this.cdn, this.token]
  }

  async #serve(role: Role, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = this.journal.arrived(role, request)
    response.on('close', () => {
      entry.open = false
      this.journal.changed()
    })
    const { latencyMs } = this.#behaviour
    if (latencyMs) await after(latencyMs)
    await this.#faults.waitForHolds(entry.line)
    const fault = this.#faults.onArrival(entry.line)
    if (fault?.silent) return
    if (fault?.reset) return void request.socket.destroy()
    const decided = fault ? faultAnswer(fault) : await this.#decide(role, request)
    await this.#send(entry, response, this.#shape(request, decided))
  }

  async #send(entry: Entry, response: ServerResponse, answer: Answer): Promise<void> {
    entry.status = answer.status
    const { body, digest } = answer
    if (digest !== undefined) entry.part = { digest, start: body?.start ?? 0 }
    this.journal.changed()
    // A Connection header of our own keeps Node.js from announcing when it closes an idle connection.
    response.setHeader('connection', 'keep-alive')
    const plan = this.#faults.forBody(entry.line, digest && body ? body : { start: 0, end: 0 })
    await send(
      response,
      answer,
      { ...plan, bytesPerSecond: plan.bytesPerSecond ?? this.#rateOf(entry.role) },
      (bytes) => {
        entry.sent += bytes
        this.journal.changed()
      },
    )
  }

  #rateOf(role: Role): number | undefined {
    const { cdn, bytesPerSecond } = this.#behaviour
    return role === 'cdn' ? (cdn?.bytesPerSecond ?? bytesPerSecond) : bytesPerSecond
  }

  #shape(request: IncomingMessage, answer: Answer): Answer {
    const { quirks = {} } = this.#behaviour
    let shaped = withErrorBody(answer, quirks.errorBodies)
    if (quirks.gzip && /gzip/.test(String(request.headers['accept-encoding']))) shaped = gzipped(shaped)
    if (quirks.chunked) shaped = withoutLength(shaped)
    return request.method === 'HEAD' ? { status: shaped.status, headers: shaped.headers } : shaped
  }

  async #decide(role: Role, request: IncomingMessage): Promise<Answer> {
    const { auth, quirks = {} } = this.#behaviour
    if (this.#isOneTooMany(request, quirks)) {
      return errorAnswer(429, 'TOOMANYREQUESTS', 'too many connections', { 'retry-after': '60' })
    }
    if (quirks.below !== undefined && role === 'registry' && !goBelow(request, quirks.below)) {
      return errorAnswer(404, 'NOT_FOUND', 'no such path')
    }
    const isStorage = this.storage.isOurs(request.url)
    if (role === 'cdn' || isStorage) return this.storage.answer(request, quirks, role !== 'cdn')
    const context = auth && this.#authContext(auth)
    if (context && request.url?.startsWith('/token')) return issueToken(request, this.auth, context)
    return this.#decideRegistry(request, context)
  }

  #isOneTooMany(request: IncomingMessage, { connections = Infinity }: Quirks): boolean {
    const isBlob = (url = '') => url.includes('/blobs/')
    return (
      isBlob(request.url) && this.journal.entries.filter(({ open, url }) => open && isBlob(url)).length > connections
    )
  }

  #decideRegistry(request: IncomingMessage, context: AuthContext | undefined): Answer {
    const { quirks = {}, cdn, redirectTo } = this.#behaviour
    const route = routeOf(request)
    const name = 'name' in route ? route.name : undefined
    if (redirectTo !== undefined && name !== undefined) {
      return {
        status: 307,
        headers: { location: redirectTo + request.url!.slice('/v2'.length), 'content-length': '0' },
      }
    }
    const refused = (context && this.auth.refuse(request, name, context)) ?? this.rate?.refuse(request.method, route)
    if (refused) return refused
    const answer = readApi(request, this.#content, quirks)
    const rated = this.rate ? { ...answer, headers: { ...answer.headers, ...this.rate.headers(route) } } : answer
    const { body, digest } = rated
    const redirected = cdn && route.kind === 'blob' && (request.method === 'GET' || cdn.redirectHead)
    if (!redirected || !body || digest === undefined) return rated
    return this.storage.redirect({ ...rated, body, digest }, cdn, this.cdn.url)
  }

  #authContext(options: NonNullable<Behaviour['auth']>): AuthContext {
    const { quirks = {} } = this.#behaviour
    const other = options.kind === 'bearer' && options.realmHost === 'other'
    const privateRealm = `${this.token.url}/token`
    const realm = other ? privateRealm : `${this.registry.url}/token`
    return { options, quirks, content: this.#content, now: this.#now(), realm, privateRealm }
  }
}

/** Reads a request as one that stands at the root; false when it is not below the path. */
function goBelow(request: IncomingMessage, path: string): boolean {
  if (!request.url?.startsWith(`${path}/`)) return false
  request.url = request.url.slice(path.length)
  return true
}

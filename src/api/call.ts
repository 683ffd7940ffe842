import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Access, Identity } from '../access/access.ts'
import type { Asker, Blob, PrivateRight } from '../oci/registry.ts'
import { challengeFor } from './challenge.ts'
import { errorAnswer } from './errors.ts'
import type { ReportRequest } from './events.ts'
import type { Forwarded } from './forwarded.ts'
import type { Place } from './request.ts'
import type { Sender, SendResult } from './send.ts'

export type ApiContext = Context<{ Bindings: HttpBindings }>
export type ReplyHeaders = Record<string, string | string[]>

/** Old dockers take a server without this header for one of version 1. */
export const apiVersion = { 'Docker-Distribution-Api-Version': 'registry/2.0' }

/** What all requests are answered with. */
export interface Serving {
  readonly access: Access
  readonly sender: Sender
  readonly report: ReportRequest
  readonly forwarded: Forwarded
  /** Set where answers name URLs and not paths alone. */
  readonly publicUrl: string | undefined
  readonly now: () => number
}

/** One request, who makes it, and the ways to answer it; each answer is reported once. */
export class Call implements Asker {
  readonly #out: ServerResponse
  readonly #started = performance.now()
  readonly incoming: IncomingMessage
  readonly path: string
  /** The query with its question mark, or nothing. */
  readonly search: string
  /** The endpoint, for metrics. */
  route = 'unknown'
  /** The repository's one name; empty where the endpoint has none. */
  name = '' as RepositoryName
  /** Of a manifest that is read. */
  tag: Tag | undefined
  identity: Identity | undefined
  action: 'pull' | 'push' | 'delete' = 'pull'
  /** The repository as the client addresses it. */
  at: Place | undefined
  /** The registry that a mirror's client says it means. */
  ns: string | undefined
  /** Headers that every answer to this request has. */
  extra: ReplyHeaders | undefined

  readonly #serving: Serving

  constructor(c: ApiContext, serving: Serving) {
    this.#serving = serving
    this.#out = c.env.outgoing
    this.incoming = c.env.incoming
    const url = targetOf(this.incoming.url!)
    const query = url.indexOf('?')
    this.path = query < 0 ? url : url.slice(0, query)
    this.search = query < 0 ? '' : url.slice(query)
  }

  get method(): string {
    return this.incoming.method!
  }

  get head(): boolean {
    return this.incoming.method === 'HEAD'
  }

  get hasBody(): boolean {
    const { 'content-length': length, 'transfer-encoding': encoding } = this.incoming.headers
    return encoding !== undefined || Number(length ?? 0) > 0
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.search)
  }

  /** Whether the client wants what is cached checked (RFC 9111, 5.2.1.4). */
  get noCache(): boolean {
    const header = this.incoming.headers['cache-control']
    return header !== undefined && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(header)
  }

  get caller(): string | undefined {
    return this.identity?.user ?? this.address
  }

  get mayReadPrivate(): PrivateRight {
    return this.identity ? this.#serving.access.mayReadPrivate(this.identity, this.name) : 'denied'
  }

  /** The client's address, also where a trusted proxy stands between. */
  get address(): string | undefined {
    return this.#serving.forwarded.addressOf(this.incoming)
  }

  /** The URL by which the client reaches us, without a slash at its end. Clients of HTTP/1.0 name no host. */
  get baseUrl(): string {
    return this.#serving.forwarded.urlOf(this.incoming) ?? 'http://localhost'
  }

  /** The time by which content ages, in milliseconds since 1970. */
  now(): number {
    return this.#serving.now()
  }

  get sender(): Sender {
    return this.#serving.sender
  }

  /** Whether the client's If-None-Match names this digest. */
  has(digest: string): boolean {
    return namesDigest(this.incoming.headers['if-none-match'], digest)
  }

  /**
   * The URL of something in a repository. Relative, so that it is right whatever stands between us and the client, unless the
   * operator has said what is right (case 59).
   */
  urlOf(at: Place, rest: string): string {
    const prefix = at.prefix === '' ? '' : `/${encodeURI(at.prefix)}`
    return `${this.#serving.publicUrl ?? ''}${prefix}/v2/${at.path}/${rest}`
  }

  /** Answers with a body that is in memory; a HEAD gets its headers alone. */
  reply(status: number, headers: ReplyHeaders, body: string | Uint8Array<ArrayBuffer> | null): Response {
    const sent = this.head ? null : body
    this.#done(status, sent?.length ?? 0)
    // Not c.body: the adapter hands a plain object of headers to Node as it is.
    return new Response(sent, { status, headers: this.#with(headers) as Record<string, string> })
  }

  replyJson(headers: ReplyHeaders, value: unknown): Response {
    const body = JSON.stringify(value)
    const length = String(Buffer.byteLength(body))
    return this.reply(
      200,
      { 'Content-Type': 'application/json', 'Content-Length': length, ...apiVersion, ...headers },
      body,
    )
  }

  replyError(error: unknown): Response {
    const { status, headers, body } = errorAnswer(error)
    const length = String(Buffer.byteLength(body))
    // What comes of a refused upload is not read: the connection ends with the answer.
    const close = this.hasBody ? { Connection: 'close' } : {}
    const challenge = status === 401 ? { 'WWW-Authenticate': challengeFor(this) } : {}
    this.#done(status, this.head ? 0 : body.length, status >= 500 ? error : undefined)
    const all = { ...apiVersion, ...headers, ...challenge, ...close, 'Content-Length': length }
    return new Response(this.head ? null : body, { status, headers: this.#with(all) as Record<string, string> })
  }

  /** Answers with a blob's bytes, on Node's own response. */
  replyBlob(status: number, headers: Record<string, string>, blob: Blob): Response {
    return this.replyBy(status, (out) => this.sender.send(out, status, this.#with(headers), blob))
  }

  replyBy(status: number, send: (out: ServerResponse) => Promise<SendResult>): Response {
    void send(this.#out).then(({ bytes, broken }) => this.#done(status, bytes, broken))
    return RESPONSE_ALREADY_SENT
  }

  #with(headers: ReplyHeaders): ReplyHeaders {
    return this.extra ? { ...headers, ...this.extra } : headers
  }

  #done(status: number, bytes: number, error?: unknown): void {
    this.#serving.report({
      type: 'request',
      method: this.method,
      route: this.route,
      status,
      bytes,
      duration: performance.now() - this.#started,
      path: this.path,
      search: this.search,
      name: this.name,
      tag: this.tag,
      user: this.identity?.user,
      client: this.address,
      agent: this.incoming.headers['user-agent'],
      error,
    })
  }
}

/** Path and query. Proxies may send a full URL, and every server must take it (RFC 9112, 3.2.2). */
function targetOf(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '') || '/'
}

/** Whether a list of entity tags names this digest: quoted, bare or weak. */
function namesDigest(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => {
    const value = tag.trim().replace(/^W\//, '').replace(/^"|"$/g, '')
    return value === digest || value === '*'
  })
}

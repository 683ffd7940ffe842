import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../oci/errors.ts'
import { Authorization } from './authorization.ts'
import { Breaker } from './breaker.ts'
import { parseChallenges } from './challenge.ts'
import { CredentialScope, type Credentials } from './credentials.ts'
import { networkFailure } from './errors.ts'
import type { UpstreamEvent } from './events.ts'
import type { Network } from './network.ts'
import { Transport, type Answer } from './transport.ts'

export interface UpstreamOptions {
  name: string
  url: URL
  credentials?: Credentials
  /** Hosts beside the upstream's own that may be shown its credentials: its token server. */
  tokenHosts?: readonly string[]
  network: Network
  report?: (event: UpstreamEvent) => void
  now?: () => number
}

export interface Question {
  method: 'GET' | 'HEAD'
  /** Where to ask: a path under the upstream's URL, or a full URL it gave us. */
  target: URL
  /** The token scope it needs, e.g. `repository:library/node:pull`. */
  scope: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const maxRedirects = 10
const redirects = new Set([301, 302, 303, 307, 308])

/** Asks one upstream: logs in where it is asked to, follows redirects, and tells a host that is down from one that refuses. */
export class UpstreamClient {
  readonly name: string
  readonly #url: URL
  readonly #breakers: LRUCache<string, Breaker>
  readonly #transport: Transport
  readonly #authorization: Authorization
  readonly report: (event: UpstreamEvent) => void

  constructor(options: UpstreamOptions) {
    const { name, url, now = Date.now, report = () => {} } = options
    this.name = name
    this.#url = url
    this.report = report
    this.#breakers = new LRUCache({ max: 100, memoMethod: () => new Breaker(now) })
    this.#transport = new Transport(name, url, options.network)
    this.#authorization = new Authorization({
      upstream: name,
      url,
      credentials: new CredentialScope(url, options.tokenHosts ?? [], options.credentials),
      transport: this.#transport,
      now,
      refused: (realm) => report({ type: 'credentials-refused', upstream: name, realm }),
    })
  }

  /** The URL of a path such as `library/node/manifests/20` under this upstream's API. */
  urlOf(path: string): URL {
    return new URL(`${this.#url.pathname.replace(/\/$/, '')}/v2/${path}`, this.#url)
  }

  /** Any status is an answer, also 404; throws UpstreamError when there is none. 401s that a token can mend are mended. */
  async ask(question: Question): Promise<Answer> {
    const answer = await this.#follow(question)
    this.report({ type: 'upstream-request', upstream: this.name, method: question.method, status: answer.status })
    this.#reportRateLimit(answer)
    return answer
  }

  /** Tells of a failure; those of the network are told already. */
  failed(error: UpstreamError): void {
    this.report({ type: 'upstream-failure', upstream: this.name, failure: error.failure, message: error.message })
  }

  /** Tells what broke off a body, and names it. The breaker hears nothing: the host has just answered. */
  brokenOff(error: unknown, answer: Answer): UpstreamError {
    const failure = networkFailure(error, this.name, answer.url.host)
    this.failed(failure)
    return failure
  }

  async #follow(question: Question): Promise<Answer> {
    let url = question.target
    for (let hops = 0; hops <= maxRedirects; hops++) {
      const answer = await this.#hop(url, question)
      const location = redirects.has(answer.status) ? answer.header('location') : undefined
      if (location === undefined) return answer
      answer.drop()
      url = this.#resolve(location, url)
    }
    throw this.#badRedirect(`more than ${maxRedirects} times`)
  }

  // One breaker for each origin: a CDN that is down is no reason to leave the registry alone.
  async #hop(url: URL, question: Question): Promise<Answer> {
    const breaker = this.#breakers.memo(url.origin)
    breaker.check()
    try {
      const answer = await this.#authorized(url, question)
      if (answer.status < 500) breaker.succeeded()
      else breaker.failed(new UpstreamError('server-error', `upstream ${this.name} answered ${answer.status}`))
      return answer
    } catch (error) {
      // A client that gave up says nothing about the upstream.
      if (error instanceof UpstreamError && !question.signal?.aborted) {
        breaker.failed(error)
        this.failed(error)
      }
      throw error
    }
  }

  #resolve(location: string, base: URL): URL {
    const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined
    if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url
    throw this.#badRedirect('to something that is no http(s) URL')
  }

  #badRedirect(how: string): UpstreamError {
    const error = new UpstreamError('bad-answer', `upstream ${this.name} redirected ${how}`)
    this.failed(error)
    return error
  }

  // Each host is answered by what it asked itself, so nothing meant for one ever reaches another.
  async #authorized(url: URL, question: Question): Promise<Answer> {
    const foreseen = await this.#authorization.foreseen(url, question.scope)
    const first = await this.#send(url, question, foreseen)
    if (first.status !== 401) return first
    const challenges = parseChallenges(first.headers['www-authenticate'])
    first.drop()
    const header = await this.#authorization.answer(url, challenges, question.scope, foreseen)
    return header === undefined ? first : this.#send(url, question, header)
  }

  #send(url: URL, question: Question, authorization: string | undefined): Promise<Answer> {
    const headers = { ...question.headers, ...(authorization && { authorization }) }
    const { method, signal } = question
    return this.#transport.send(url, { method, headers, ...(signal && { signal }) })
  }

  #reportRateLimit(answer: Answer): void {
    const remaining = parseInt(answer.header('ratelimit-remaining') ?? '', 10)
    if (Number.isNaN(remaining)) return
    const limit = parseInt(answer.header('ratelimit-limit') ?? '', 10)
    this.report({ type: 'rate-limit', upstream: this.name, remaining, limit: Number.isNaN(limit) ? undefined : limit })
  }
}

import { setTimeout as after } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { RepositoryName } from '../oci/reference.ts'
import { UpstreamError } from '../oci/errors.ts'
import { Accounts, servesBy, type Account } from './accounts.ts'
import { Authorization } from './authorization.ts'
import { Budget, type Lane } from './budget.ts'
import { Breaker } from './breaker.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import { CredentialScope, type CredentialSource } from './credentials.ts'
import { networkFailure } from './errors.ts'
import type { UpstreamEvent } from './events.ts'
import type { Network } from './network.ts'
import { briefWait } from './retry.ts'
import { Transport, type Answer } from './transport.ts'

export interface AccountOptions {
  name: string
  source: CredentialSource
  /** Patterns; `**` is all. */
  repositories: readonly string[]
  callers: readonly string[]
}

export interface UpstreamOptions {
  name: string
  url: URL
  /** Logins in the order in which they are tried; without one that fits requests are anonymous. */
  accounts?: readonly AccountOptions[]
  /** Hosts beside the upstream's own that may be shown its credentials: its token server. */
  tokenHosts?: readonly string[]
  /** Pulls of a rate limit that are kept for what is not cached. */
  reserve?: number
  network: Network
  report?: (event: UpstreamEvent) => void
  now?: () => number
}

export interface Question {
  method: 'GET' | 'HEAD'
  /** Where to ask: a path under the upstream's URL, or a full URL it gave us. */
  target: URL
  repository: RepositoryName
  /** On whose behalf. */
  caller?: string | undefined
  /** How rate limits count it; as no pull if not given. */
  lane?: Lane
  headers?: Record<string, string>
  signal?: AbortSignal
  /** The answer may be large. */
  large?: boolean
}

const maxRedirects = 10
/** How often one request is sent where each time a 429 asks for no more than a second. */
const mostBriefWaits = 3
const redirects = new Set([301, 302, 303, 307, 308])

/** Asks one upstream: as which account, logs in where it is asked to, follows redirects, and keeps count of pulls. */
export class UpstreamClient {
  readonly name: string
  readonly #url: URL
  readonly #breakers: LRUCache<string, Breaker>
  readonly #transport: Transport
  readonly #accounts: Accounts
  readonly report: (event: UpstreamEvent) => void

  constructor(options: UpstreamOptions) {
    const { name, url, now = Date.now, report = () => {}, network } = options
    this.name = name
    this.#url = url
    this.report = report
    const breaker = (host: string) =>
      new Breaker(now, (open) => report({ type: 'breaker', upstream: name, host, open }))
    this.#breakers = new LRUCache({ max: 100, memoMethod: breaker })
    this.#transport = new Transport(name, url, network)
    const account = (given: Omit<AccountOptions, 'source'> & { source?: CredentialSource }): Account => ({
      name: given.name,
      budget: new Budget(name, options.reserve ?? 0, now),
      authorization: this.#authorization(options, given.name, given.source),
      serves: servesBy(given.repositories, given.callers),
    })
    // What no login is for is asked for without one.
    const anonymous = { name: 'anonymous', repositories: ['**'], callers: ['**'] }
    const forAll = options.accounts?.some((one) => one.repositories.includes('**') && one.callers.includes('**'))
    this.#accounts = new Accounts([...(options.accounts ?? []), ...(forAll ? [] : [anonymous])].map(account))
  }

  /** Pulls are nearly spent of every account that this caller may use for this repository. */
  isSparing(name: RepositoryName, caller: string | undefined): boolean {
    return this.#accounts.isScarce(name, caller)
  }

  /** The URL of a path such as `library/node/manifests/20` under this upstream's API. */
  urlOf(path: string): URL {
    return new URL(`${this.#url.pathname.replace(/\/$/, '')}/v2/${path}`, this.#url)
  }

  /**
   * Any status is an answer, also 404; throws UpstreamError when there is none. 401s that a token can mend are mended,
   * and a 429 that another account's pulls can.
   */
  async ask(question: Question): Promise<Answer> {
    const { repository, caller, lane = 'other' } = question
    const use = { name: repository, caller, lane }
    let account = this.#accounts.choose(use)
    for (let tries = 1; ; tries++) {
      const answer = await this.#askAs(account, question)
      if (answer.status !== 429) return answer
      const wait = tries < mostBriefWaits ? await briefWaitIn(answer) : undefined
      if (wait !== undefined) {
        await after(wait)
        continue
      }
      account.budget.refused(answer.headers, lane)
      const other = this.#accounts.find(use)
      if (!other || other === account) return answer
      answer.drop()
      account = other
    }
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

  async #askAs(account: Account, question: Question): Promise<Answer> {
    const { method, lane = 'other', repository, caller } = question
    const answer = await this.#follow(account, question)
    this.report({ type: 'upstream-request', upstream: this.name, method, status: answer.status })
    this.#heardRate(account, answer)
    if (answer.status >= 300) return answer
    account.budget.passed(lane)
    if (lane === 'pull') {
      this.report({ type: 'pull-spent', upstream: this.name, account: account.name, repository, caller })
    }
    return answer
  }

  #heardRate(account: Account, answer: Answer): void {
    const figures = account.budget.heard(answer.headers)
    if (!figures) return
    const { remaining, limit } = figures
    const { scarce } = account.budget
    this.report({ type: 'rate-limit', upstream: this.name, account: account.name, remaining, limit, scarce })
  }

  async #follow(account: Account, question: Question): Promise<Answer> {
    let url = question.target
    for (let hops = 0; hops <= maxRedirects; hops++) {
      const answer = await this.#hop(account, url, question)
      const location = redirects.has(answer.status) ? answer.header('location') : undefined
      if (location === undefined) return answer
      answer.drop()
      url = this.#resolve(location, url)
    }
    throw this.#badRedirect(`more than ${maxRedirects} times`)
  }

  // One breaker for each origin: a CDN that is down is no reason to leave the registry alone.
  async #hop(account: Account, url: URL, question: Question): Promise<Answer> {
    const breaker = this.#breakers.memo(url.origin)
    breaker.check()
    try {
      const answer = await this.#authorized(account, url, question)
      if (answer.status < 500) breaker.succeeded()
      else breaker.failed(new UpstreamError('server-error', `upstream ${this.name} answered ${answer.status}`))
      return answer
    } catch (error) {
      // A client that gave up says nothing about the upstream.
      if (!(error instanceof UpstreamError) || question.signal?.aborted) breaker.abandoned()
      else {
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
  async #authorized({ authorization }: Account, url: URL, question: Question): Promise<Answer> {
    const scope = `repository:${question.repository}:pull`
    const foreseen = await authorization.foreseen(url, scope)
    const first = await this.#send(url, question, foreseen)
    const runOut = first.status === 403 && foreseen !== undefined && authorization.outdated(url, foreseen)
    if (first.status !== 401 && !runOut) {
      if (foreseen !== undefined && first.status < 400) authorization.accepted(url, foreseen)
      return first
    }
    first.drop()
    const challenges = await this.#challengesOf(first, question)
    const header = runOut
      ? await authorization.foreseen(url, scope)
      : await authorization.answer(url, challenges, scope, foreseen)
    const used = header ?? foreseen
    if (used === undefined) return first
    const second = header === undefined ? first : await this.#send(url, question, header)
    if (second.status < 400) authorization.accepted(url, used)
    if (header !== undefined && second.status !== 401) return second
    authorization.refused(url, used)
    if (!authorization.isLogin(used)) return second
    // What everybody may read is still within reach, unless it was just asked for without a login.
    const open = await authorization.asNobody(url, challenges, scope)
    if (open === undefined && foreseen === undefined) return second
    second.drop()
    return this.#send(url, question, open)
  }

  /** What a 401 asks for. A registry may ask for it at /v2/ alone (gcr.io once: containers/image issue 211). */
  async #challengesOf(refusal: Answer, { method, signal }: Question): Promise<Challenge[]> {
    const challenges = parseChallenges(refusal.headers['www-authenticate'])
    // A HEAD may just be unwelcome: the GET that follows finds out.
    if (challenges.length > 0 || method === 'HEAD' || refusal.url.origin !== this.#url.origin) return challenges
    const ping = await this.#transport.send(this.urlOf(''), { method: 'GET', headers: {}, ...(signal && { signal }) })
    ping.drop()
    return ping.status === 401 ? parseChallenges(ping.headers['www-authenticate']) : []
  }

  #send(url: URL, question: Question, authorization: string | undefined): Promise<Answer> {
    const headers = { ...question.headers, ...(authorization && { authorization }) }
    const { method, signal, large = false } = question
    return this.#transport.send(url, { method, headers, large, ...(signal && { signal }) })
  }

  #authorization(options: UpstreamOptions, account: string, source: CredentialSource | undefined): Authorization {
    const { name, url, tokenHosts = [], now = Date.now } = options
    return new Authorization({
      upstream: name,
      credentials: new CredentialScope(url, tokenHosts, source),
      transport: this.#transport,
      now,
      judged: (good, host, why) => this.report({ type: 'credentials', upstream: name, account, good, host, why }),
    })
  }
}

/** Reads a short body that says how long it is; others are left as they are. */
async function briefWaitIn(answer: Answer): Promise<number | undefined> {
  const size = Number(answer.header('content-length') ?? Infinity)
  if (answer.header('retry-after') !== undefined || !(size <= 4096)) return undefined
  const body = await answer.bytes(size).catch(() => undefined)
  return body && briefWait(body.toString('utf8'))
}

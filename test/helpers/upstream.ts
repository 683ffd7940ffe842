import { Content, makeContent, type Repository, type RepositorySpec } from './content.ts'
import { atTestEnd } from './cleanup.ts'
import type { Behaviour, Changes, UpstreamOptions } from './upstream/options.ts'
import { countRepeated, type Entry } from './upstream/journal.ts'
import { Servers } from './upstream/servers.ts'

export { quirksOf, type Quirks } from './upstream/quirks.ts'
export type { Fault } from './upstream/faults.ts'
export type { UpstreamOptions } from './upstream/options.ts'

/**
 * Starts a registry that serves test content over real HTTP on 127.0.0.1. It can behave like any registry our users pull
 * from, and fail in all their ways; it records what it was asked and sent. It is stopped when the running test ends; one
 * started outside a test (beforeAll, a benchmark) is stopped by its `stop()`.
 */
export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const { content, tls, clock, ...behaviour } = options
  const made = content instanceof Content ? content : makeContent(content)
  const servers = new Servers({ content: made, tls, now: () => (clock ?? Date).now(), behaviour })
  await servers.start()
  const upstream = new Upstream(made, servers)
  await atTestEnd(() => upstream.stop())
  return upstream
}

export class Upstream {
  readonly content: Content
  readonly #servers: Servers

  constructor(content: Content, servers: Servers) {
    this.content = content
    this.#servers = servers
  }

  get url(): string {
    return this.#servers.registry.url
  }

  /** `127.0.0.1:12345`. */
  get host(): string {
    return this.#servers.registry.host
  }

  get cdnHost(): string {
    return this.#servers.cdn.host
  }

  get tokenHost(): string {
    return this.#servers.token.host
  }

  // What it was asked and what it sent

  /** In order of arrival: `GET /v2/library/node/blobs/sha256:ab12cd34ef56.. 200`, `cdn GET ...`, `token GET ...`. */
  get requests(): string[] {
    return this.#servers.journal.entries.map((entry) => entry.text)
  }

  /** Method, URL and headers as they came. */
  get received(): readonly Entry[] {
    return this.#servers.journal.entries
  }

  /** How many requests match: a pattern is tried on the line with full and with short digests, a text may be a part of it. */
  count(pattern: RegExp | string): number {
    return this.#matching(pattern).length
  }

  /** Bytes of all bodies, errors included. */
  get bytesSent(): number {
    return this.received.reduce((sum, { sent }) => sum + sent, 0)
  }

  /**
   * The intervals of a blob or manifest that were sent, `[start, end)`, one a response in order of arrival. Sent is what a
   * connection took: a client that hangs up may not have read the last part of it.
   */
  served(digest: string): [start: number, end: number][] {
    return this.#servers.journal.served(digest)
  }

  /** How many bytes of it were sent more than once. */
  sentAgain(digest: string): number {
    return countRepeated(this.served(digest))
  }

  /** Requests that are not answered to the end yet. */
  get open(): number {
    return this.received.filter((entry) => entry.open).length
  }

  /** What is left of the rate limit. */
  get rateRemaining(): number | undefined {
    return this.#servers.rate?.remaining
  }

  /** Resolves when `check` holds; asked again at every request, answer and piece of a body. */
  until(check: (upstream: this) => boolean, deadline = 10_000): Promise<void> {
    return this.#servers.journal.until(
      () => check(this),
      deadline,
      () => `${check.toString()}; requests: ${JSON.stringify(this.requests, null, 1)}`,
    )
  }

  /** Resolves when so many matching requests have come in. */
  async asked(pattern: RegExp | string, times = 1): Promise<void> {
    await this.until(() => this.count(pattern) >= times)
  }

  /** Forgets what was asked and sent so far. */
  forget(): void {
    this.#servers.journal.clear()
  }

  // Changes

  set(changes: Changes): void {
    this.#servers.set(changes as Behaviour)
  }

  /**
   * Holds matching requests, before the answer or, with `after`, behind so many bytes of the body. Returns the release.
   * The pattern is tried on the line as `Fault.on` is.
   */
  hold(on: RegExp, after?: number): () => void {
    return this.#servers.hold(on, after)
  }

  push(repository: string, spec: RepositorySpec): Repository {
    return this.content.add(repository, spec)
  }

  retag(repository: string, tag: string, name: string): void {
    this.content.in(repository).add({ tags: { [tag]: name } })
  }

  deleteTag(repository: string, tag: string): void {
    this.content.in(repository).tags.delete(tag)
  }

  /** A manifest (with the tags that lead to it) or a blob. */
  delete(repository: string, name: string): void {
    this.content.in(repository).delete(name)
  }

  deleteRepository(repository: string): void {
    this.content.repositories.delete(repository)
  }

  /** All tokens given out so far are refused. */
  expireTokens(): void {
    this.#servers.auth.expireTokens()
  }

  /** All signed URLs given out so far are refused. */
  expireUrls(): void {
    this.#servers.storage.expireUrls()
  }

  /** Closes connections that carry no request. */
  closeIdle(): void {
    this.#servers.closeIdle()
  }

  /** Breaks all connections and refuses new ones. */
  stop(): Promise<void> {
    return this.#servers.stop()
  }

  /** Listens again on the same ports. */
  restart(): Promise<void> {
    return this.#servers.start()
  }

  #matching(pattern: RegExp | string): Entry[] {
    const matches = (text: string) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text))
    return this.received.filter((entry) => {
      const full = `${entry.line} ${entry.status ?? '-'}`
      return matches(full) || matches(entry.text)
    })
  }
}

import { pino, type Logger } from 'pino'
import type { Event } from './events.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** How many lines are gathered before they are written. */
const block = 500

type Destination = ReturnType<typeof pino.destination>

/** Gathers lines, for a line must not cost a system call, and writes them within half a second all the same. */
class Lines {
  readonly #out: Destination
  #waiting: string[] = []

  constructor(out: Destination) {
    this.#out = out
    setInterval(() => this.flush(), 500).unref()
  }

  write(line: string): void {
    if (this.#waiting.push(line) >= block) this.flush()
  }

  flush(): void {
    if (this.#waiting.length === 0) return
    this.#out.write(this.#waiting.join(''))
    this.#waiting = []
  }
}

export interface Log {
  readonly logger: Logger
  /** Writes out what was gathered. */
  flush(): void
}

/** One JSON object a line to standard output. */
export function openLog(level: LogLevel): Log {
  // Not process.stdout, which writes to files synchronously: a busy disk would stop everything.
  const out = pino.destination({ fd: 1, sync: false })
  const lines = new Lines(out)
  const logger = pino({ level, base: null, timestamp: isoTime() }, lines)
  const flush = () => {
    lines.flush()
    out.flushSync()
  }
  return { logger, flush }
}

/** The time as RFC 3339, made once a millisecond: thousands of lines share one. */
function isoTime(): () => string {
  let at = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

/** Writes what rooms tell as log lines. No headers, no signed URLs, no queries but what says which registry is meant. */
export function logEvents(log: Logger): (event: Event) => void {
  return (event) => {
    switch (event.type) {
      case 'request':
        return logRequest(log, event)
      case 'upstream-failure':
        return log.warn({ upstream: event.upstream, failure: event.failure }, event.message)
      case 'credentials':
        return logCredentials(log, event)
      case 'breaker':
        return log.warn(
          { upstream: event.upstream, host: event.host },
          event.open ? `${event.host} is down: it is asked again after a pause` : `${event.host} is back`,
        )
      case 'pull-spent': {
        const { upstream, account, repository, caller } = event
        return log.debug({ upstream, account, repository, caller }, 'pull spent')
      }
      case 'fill-ended':
        if (event.result === 'failed') log.warn({ upstream: event.upstream, digest: event.digest }, event.message)
        return
      case 'storage-failure':
        return log.error({ storage: true }, event.message)
      case 'wrong-content':
        return log.error({ upstream: event.upstream, digest: event.digest }, event.message)
      case 'evicted':
        return log.debug({ upstream: event.upstream, digest: event.digest, bytes: event.bytes }, 'evicted')
      case 'hosted-content-lost':
        return log.error({ repository: event.repository, digest: event.digest }, event.message)
      case 'collected':
        return log.info({ repository: event.repository, what: event.what, reason: event.reason }, 'collected')
      case 'collection-failed':
        return log.error(`collecting what nothing reaches failed: ${event.message}`)
      case 'login-succeeded':
        return log.info({ user: event.user, by: event.by, client: event.address, subject: event.subject }, 'login')
      case 'login-refused':
        return logRefusal(log, event)
      case 'token-created':
      case 'token-revoked':
        return log.info({ user: event.user, token: event.token, by: event.by, client: event.address }, event.type)
      case 'user-changed':
        return log.info({ user: event.user, change: event.change, by: event.by, client: event.address }, 'user changed')
      case 'administered': {
        const { action, user, address: client, name: repository, detail } = event
        return log.info({ user, client, repository, detail }, action)
      }
      case 'no-operator-socket':
        return log.warn(`commands on this machine work beside the server, not through it: ${event.message}`)
      case 'htpasswd-problem':
        return log.warn(event.message)
      case 'signature': {
        const { upstream, repository, digest, result, message } = event
        return log[result === 'good' ? 'debug' : 'warn']({ upstream, repository, digest, signature: result }, message)
      }
      case 'certificate': {
        const good = event.outcome === 'loaded' || event.outcome === 'ordered'
        return log[good ? 'info' : 'error'](`certificate ${event.outcome}: ${event.message}`)
      }
      case 'tunnel': {
        const { target, outcome, message } = event
        return log[message === undefined ? 'debug' : 'warn']({ target, outcome }, message ?? 'tunnel')
      }
      case 'tag-moved': {
        const { upstream, repository, tag, before, digest } = event
        return log.info({ upstream, repository, tag, before, digest }, 'tag moved')
      }
      case 'tag-pushed':
      case 'tag-deleted':
        return log.info(
          { repository: event.repository, tag: event.tag, digest: event.digest },
          event.type.replace('-', ' '),
        )
      case 'webhook': {
        const { hook, outcome, message } = event
        const level = outcome === 'delivered' ? 'debug' : outcome === 'failed' ? 'warn' : 'error'
        return log[level]({ hook }, `webhook ${hook}: ${message ?? outcome}`)
      }
      case 'warm-run-started':
        return log.info({ list: event.list, run: event.run }, 'warming begins')
      case 'warm-run-ended': {
        const { list, run, outcome, references, wanting, bytes } = event
        return log[outcome === 'ok' ? 'info' : 'warn'](
          { list, run, outcome, references, wanting, bytes },
          'warming ended',
        )
      }
      case 'warm-reference': {
        const { list, reference, outcome, bytes, message } = event
        return log[outcome === 'ok' ? 'debug' : 'warn']({ list, reference, outcome, bytes }, message ?? 'warm')
      }
      // What was retired is told of as collected.
      case 'tag-retired':
      case 'turned-away':
      case 'lookup':
      case 'fill-started':
      case 'upstream-request':
      case 'upstream-bytes':
      case 'rate-limit':
        return
    }
  }
}

function logRefusal(log: Logger, event: Extract<Event, { type: 'login-refused' }>): void {
  const { user, why, by, address: client, subject, message } = event
  const line = { user, why, by, client, subject }
  log[why === 'provider trouble' ? 'error' : 'warn'](
    line,
    message === undefined ? 'login refused' : `login refused: ${message}`,
  )
}

function logCredentials(log: Logger, event: Extract<Event, { type: 'credentials' }>): void {
  const { upstream, account, good, host, why } = event
  const of = `the credentials of upstream ${upstream}, account ${account}`
  if (good) log.info({ upstream, account }, `${of}, work again at ${host}`)
  else log.error({ upstream, account }, `${of}, do not work at ${host} (${why}): trying without`)
}

function logRequest(log: Logger, event: Extract<Event, { type: 'request' }>): void {
  const { method, path, status, bytes, client, agent, error } = event
  const line = {
    method,
    path,
    status,
    bytes,
    ms: Math.round(event.duration * 100) / 100,
    client,
    agent,
    ns: nsOf(event.search),
  }
  if (status >= 500) log.error({ ...line, err: error }, 'request')
  else if (error) log.warn({ ...line, broken: (error as Error).message || (error as Error).name }, 'request')
  else log.info(line, 'request')
}

function nsOf(search: string): string | undefined {
  return search === '' ? undefined : (new URLSearchParams(search).get('ns') ?? undefined)
}

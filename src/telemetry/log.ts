import { pino, type Logger } from 'pino'
import type { Event } from './events.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** One JSON object a line to standard output, written in blocks: a line must not cost a system call. */
export function openLog(level: LogLevel): Logger {
  const destination = pino.destination({ fd: 1, sync: false, minLength: 8 * 1024 })
  // Blocks would keep the last lines of a quiet server back.
  setInterval(() => destination.flush(), 500).unref()
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}

/** Writes what rooms tell as log lines. No headers, no signed URLs, no queries but what says which registry is meant. */
export function logEvents(log: Logger): (event: Event) => void {
  return (event) => {
    switch (event.type) {
      case 'request':
        return logRequest(log, event)
      case 'upstream-failure':
        return log.warn({ upstream: event.upstream, failure: event.failure }, event.message)
      case 'credentials-refused':
        return log.error(
          event,
          `the credentials of upstream ${event.upstream} were refused by ${event.realm}; trying without`,
        )
      case 'fill-ended':
        if (event.result === 'failed') log.warn({ upstream: event.upstream, digest: event.digest }, event.message)
        return
      case 'storage-failure':
        return log.error({ storage: true }, event.message)
      case 'wrong-content':
        return log.error({ upstream: event.upstream, digest: event.digest }, event.message)
      case 'lookup':
      case 'fill-started':
      case 'upstream-request':
      case 'upstream-bytes':
      case 'rate-limit':
        return
    }
  }
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

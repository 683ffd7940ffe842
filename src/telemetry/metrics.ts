import { Registry, collectDefaultMetrics } from 'prom-client'
import { countersOf, type Counters } from './counters.ts'
import type { Event } from './events.ts'
import { gaugesOf, type Gauges, type Readings } from './gauges.ts'
import { Tally } from './tally.ts'

export type { Readings } from './gauges.ts'

export interface Metrics {
  count(event: Event): void
  render(): Promise<{ contentType: string; text: string }>
}

/** Counts what rooms tell. Every label has a closed set of values: upstreams are those configured, routes those of the API. */
export function createMetrics(readings: Readings): Metrics {
  const register = new Registry()
  const registers = [register]
  collectDefaultMetrics({ register, prefix: 'berth_' })
  const gauges = gaugesOf(readings, registers)
  const counters = countersOf(registers)
  const requests = new Tally(counters.requests, ['method', 'route', 'status'])
  const lookups = new Tally(counters.lookups, ['upstream', 'kind', 'outcome'])
  /** Hosts, after the upstream that led to them: a CDN that is back says nothing of the registry. */
  const givenUp = new Set<string>()
  let bytesToClients = 0
  let pullsServed = 0

  return {
    count(event) {
      switch (event.type) {
        case 'request':
          requests.add(`${methodLabel(event.method)} ${event.route} ${event.status}`)
          bytesToClients += event.bytes
          if (event.route === 'manifest' && event.method === 'GET' && event.status < 300) pullsServed++
          if (event.route === 'blob') counters.duration.observe(event.duration / 1000)
          return
        case 'turned-away':
          return counters.turnedAway.inc({ why: event.why })
        case 'lookup':
          return lookups.add(`${event.upstream} ${event.kind} ${event.outcome}`)
        case 'upstream-bytes':
          return counters.upstreamBytes.inc({ upstream: event.upstream }, event.bytes)
        case 'upstream-request':
          return counters.upstreamRequests.inc({ upstream: event.upstream, method: event.method })
        case 'upstream-failure':
          return counters.upstreamFailures.inc({ upstream: event.upstream, kind: event.failure })
        case 'rate-limit':
          return setRate(gauges, event)
        case 'pull-spent':
          return counters.pullsSpent.inc({ upstream: event.upstream, account: event.account })
        case 'credentials':
          return setCredentials(gauges, counters, event)
        case 'breaker':
          return setBreaker(gauges, givenUp, event)
        case 'fill-ended':
          return counters.fills.inc({ upstream: event.upstream, result: event.result })
        case 'storage-failure':
          return counters.storageFailures.inc()
        case 'wrong-content':
          return counters.wrongContent.inc({ upstream: event.upstream })
        case 'evicted':
          return counters.evictedBytes.inc({ upstream: event.upstream }, event.bytes)
        case 'login-succeeded':
          return counters.logins.inc({ result: 'succeeded' })
        case 'login-refused':
          return counters.logins.inc({ result: event.why === 'too many attempts' ? 'delayed' : 'wrong' })
        case 'signature':
          return counters.signatures.inc({ upstream: event.upstream, result: event.result })
        case 'tag-moved':
          return counters.tagsMoved.inc({ upstream: event.upstream })
        case 'tag-pushed':
          return counters.hosted.inc({ what: 'tag pushed' })
        case 'tag-deleted':
          return counters.hosted.inc({ what: 'tag deleted' })
        case 'hosted-content-lost':
          return counters.hosted.inc({ what: 'content lost' })
        case 'collected':
          return counters.hosted.inc({ what: 'collected' })
        case 'collection-failed':
          return counters.hosted.inc({ what: 'collection failed' })
        case 'webhook':
          return counters.webhooks.inc({ hook: event.hook, outcome: event.outcome })
        case 'warm-run-ended':
          return counters.warmRuns.inc({ list: event.list ?? '', outcome: event.outcome })
        case 'warm-reference':
          return countWarm(counters, event)
        case 'certificate':
          return counters.certificates.inc({ outcome: event.outcome })
        case 'tunnel':
          return counters.tunnels.inc({ outcome: event.outcome })
        case 'token-created':
        case 'token-revoked':
        case 'user-changed':
        case 'administered':
        case 'htpasswd-problem':
        case 'tag-retired':
        case 'no-operator-socket':
        case 'fill-started':
        case 'warm-run-started':
          return
      }
    },
    async render() {
      requests.flush()
      lookups.flush()
      counters.bytesToClients.inc(bytesToClients)
      counters.pullsServed.inc(pullsServed)
      bytesToClients = pullsServed = 0
      return { contentType: register.contentType, text: await register.metrics() }
    },
  }
}

const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'])
const methodLabel = (method: string): string => (methods.has(method) ? method : 'other')

function setRate(
  { rateLimit, rateLimitTotal, rateLimitReserve }: Gauges,
  event: Extract<Event, { type: 'rate-limit' }>,
) {
  const labels = { upstream: event.upstream, account: event.account }
  rateLimit.set(labels, event.remaining)
  if (event.limit !== undefined) rateLimitTotal.set(labels, event.limit)
  rateLimitReserve.set(labels, event.scarce ? 1 : 0)
}

function setBreaker(gauges: Gauges, givenUp: Set<string>, event: Extract<Event, { type: 'breaker' }>): void {
  const { upstream, host, open } = event
  if (open) givenUp.add(`${upstream} ${host}`)
  else givenUp.delete(`${upstream} ${host}`)
  const any = [...givenUp].some((each) => each.startsWith(`${upstream} `))
  gauges.breaker.set({ upstream }, any ? 1 : 0)
}

function countWarm(counters: Counters, event: Extract<Event, { type: 'warm-reference' }>): void {
  const { list = '', outcome, bytes } = event
  counters.warmReferences.inc({ list, outcome })
  counters.warmBytes.inc({ list }, bytes)
}

function setCredentials(gauges: Gauges, counters: Counters, event: Extract<Event, { type: 'credentials' }>): void {
  const labels = { upstream: event.upstream, account: event.account }
  gauges.credentialsBroken.set(labels, event.good ? 0 : 1)
  if (!event.good) counters.credentialsRefused.inc(labels)
}

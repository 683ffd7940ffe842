import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Event } from './events.ts'

/** What a scrape reads from rooms, at that moment. */
export interface Readings {
  fillsInFlight: () => number
  cacheBytes: () => Promise<number>
  /** By receiver. */
  webhooksWaiting: () => Promise<Record<string, number>>
}

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
  const requests = new Tally()
  const lookups = new Tally()
  requests.feed(counters.requests, ['method', 'route', 'status'])
  lookups.feed(counters.lookups, ['upstream', 'kind', 'outcome'])
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
          return counters.logins.inc({ result: event.why === 'wrong' ? 'wrong' : 'delayed' })
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

/** Counts by a joined key, and hands the sums on at a scrape: prom-client's own counting costs more than a warm lookup. */
class Tally {
  readonly #counts = new Map<string, number>()
  #feed: (key: string, count: number) => void = () => {}

  feed(counter: Counter, labels: string[]): void {
    this.#feed = (key, count) => {
      const values = key.split(' ')
      counter.inc(Object.fromEntries(labels.map((label, i) => [label, values[i]!])), count)
    }
  }

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  flush(): void {
    for (const [key, count] of this.#counts) this.#feed(key, count)
    this.#counts.clear()
  }
}

function countersOf(registers: Registry[]) {
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `berth_${name}`, help, labelNames, registers })
  return {
    logins: counter('logins_total', 'Logins: succeeded, wrong, or delayed after too many wrong ones.', ['result']),
    requests: counter('requests_total', 'Requests answered, by endpoint and status.', ['method', 'route', 'status']),
    lookups: counter('cache_lookups_total', 'Lookups in the cache: hit, miss, stale or revalidated.', [
      'upstream',
      'kind',
      'outcome',
    ]),
    bytesToClients: counter('sent_bytes_total', 'Bytes of bodies sent to clients.'),
    upstreamBytes: counter('upstream_received_bytes_total', 'Bytes of blobs received from upstreams.', ['upstream']),
    upstreamRequests: counter('upstream_requests_total', 'Requests that an upstream answered.', ['upstream', 'method']),
    upstreamFailures: counter('upstream_failures_total', 'Upstream failures, by kind.', ['upstream', 'kind']),
    credentialsRefused: counter('upstream_credentials_refused_total', 'Times an upstream refused its credentials.', [
      'upstream',
      'account',
    ]),
    pullsSpent: counter('upstream_pulls_spent_total', 'Manifests fetched, which is what upstreams count as pulls.', [
      'upstream',
      'account',
    ]),
    pullsServed: counter(
      'pulls_served_total',
      'Manifests served to clients (GET); most of them spend no pull upstream.',
    ),
    fills: counter('fills_total', 'Fills that ended: stored, failed or stopped.', ['upstream', 'result']),
    evictedBytes: counter('evicted_bytes_total', 'Bytes of cached blobs evicted.', ['upstream']),
    signatures: counter(
      'signature_checks_total',
      'Manifests whose signatures were looked for: good, refused, warned of, or unchecked.',
      ['upstream', 'result'],
    ),
    storageFailures: counter('storage_failures_total', 'Times the disk refused; pulls then pass by it.'),
    tunnels: counter('proxy_tunnels_total', 'CONNECT requests: served, passed on, refused or failed.', ['outcome']),
    certificates: counter(
      'certificates_total',
      'Certificates of our own: loaded, ordered, or kept where the new one failed.',
      ['outcome'],
    ),
    tagsMoved: counter('upstream_tags_moved_total', 'Cached tags that came to mean another manifest.', ['upstream']),
    hosted: counter(
      'hosted_changes_total',
      'Changes of what is hosted: tags pushed and deleted, content collected or lost.',
      ['what'],
    ),
    webhooks: counter('webhook_deliveries_total', 'Attempts to tell a receiver: delivered, failed or dropped.', [
      'hook',
      'outcome',
    ]),
    wrongContent: counter('wrong_content_total', 'Blobs that were not what their digest says.', ['upstream']),
    duration: new Histogram({
      name: 'berth_blob_duration_seconds',
      help: 'Time from a blob request to the end of its body.',
      buckets: [0.005, 0.05, 0.5, 5, 50, 500],
      registers,
    }),
  }
}

function gaugesOf(readings: Readings, registers: Registry[]) {
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name: `berth_${name}`,
      help,
      registers,
      async collect() {
        this.set(await read())
      },
    })
  return {
    fills: gauge('fills_in_flight', 'Blobs being fetched now.', readings.fillsInFlight),
    cacheBytes: gauge('cache_bytes', 'Bytes of blobs in the store.', readings.cacheBytes),
    webhooks: webhooksGauge(readings, registers),
    ...upstreamGauges(registers),
  }
}

function webhooksGauge({ webhooksWaiting }: Readings, registers: Registry[]): Gauge {
  return new Gauge({
    name: 'berth_webhook_deliveries_waiting',
    help: 'Events that a receiver is still to be told.',
    labelNames: ['hook'],
    registers,
    async collect() {
      for (const [hook, waiting] of Object.entries(await webhooksWaiting())) this.set({ hook }, waiting)
    },
  })
}

function upstreamGauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `berth_upstream_${name}`, help, labelNames, registers })
  return {
    rateLimit: gauge('ratelimit_remaining', 'Pulls that an upstream said are left.', ['upstream', 'account']),
    rateLimitTotal: gauge('ratelimit_limit', 'Pulls that an upstream allows at most.', ['upstream', 'account']),
    rateLimitReserve: gauge('ratelimit_at_reserve', '1 while tags are served unchecked to save pulls.', [
      'upstream',
      'account',
    ]),
    credentialsBroken: gauge('credentials_broken', '1 while the credentials do not work.', ['upstream', 'account']),
    breaker: gauge('breaker_open', '1 while a host of the upstream is given up for a pause.', ['upstream']),
  }
}

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

function setCredentials(gauges: Gauges, counters: Counters, event: Extract<Event, { type: 'credentials' }>): void {
  const labels = { upstream: event.upstream, account: event.account }
  gauges.credentialsBroken.set(labels, event.good ? 0 : 1)
  if (!event.good) counters.credentialsRefused.inc(labels)
}

type Gauges = ReturnType<typeof gaugesOf>
type Counters = ReturnType<typeof countersOf>

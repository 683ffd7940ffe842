import { Gauge, type Registry } from 'prom-client'

/** What a scrape reads from rooms, at that moment. */
export interface Readings {
  fillsInFlight: () => number
  cacheBytes: () => Promise<number>
  /** By receiver. */
  webhooksWaiting: () => Promise<Record<string, number>>
}

export type Gauges = ReturnType<typeof gaugesOf>

/** How things stand: read at each scrape, or as rooms last told. */
export function gaugesOf(readings: Readings, registers: Registry[]) {
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

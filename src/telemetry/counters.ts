import { Counter, Histogram, type Registry } from 'prom-client'

export type Counters = ReturnType<typeof countersOf>

/** What is counted since the start. */
export function countersOf(registers: Registry[]) {
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `berth_${name}`, help, labelNames, registers })
  return {
    logins: counter('logins_total', 'Logins: succeeded, wrong, or delayed after too many wrong ones.', ['result']),
    requests: counter('requests_total', 'Requests answered, by endpoint and status.', ['method', 'route', 'status']),
    turnedAway: counter('requests_turned_away_total', 'Requests of clients that asked for more than limits allow.', [
      'why',
    ]),
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
    warmRuns: counter('warm_runs_total', 'Runs of warm lists that ended, and of what was named by hand (no list).', [
      'list',
      'outcome',
    ]),
    warmReferences: counter(
      'warm_references_total',
      'References of warm lists: ok, failed, or spared for want of pulls.',
      ['list', 'outcome'],
    ),
    warmBytes: counter('warm_fetched_bytes_total', 'Bytes of blobs that warm lists brought here.', ['list']),
    wrongContent: counter('wrong_content_total', 'Blobs that were not what their digest says.', ['upstream']),
    duration: new Histogram({
      name: 'berth_blob_duration_seconds',
      help: 'Time from a blob request to the end of its body.',
      buckets: [0.005, 0.05, 0.5, 5, 50, 500],
      registers,
    }),
  }
}

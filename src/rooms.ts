import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Config, UpstreamConfig } from './config/config.ts'
import { guarded, openAccess, Passwords, platformed, type Access } from './access/access.ts'
import { accountsOf, calledUpstream, type AccountsFrom } from './accounts.ts'
import type { RequestEvent } from './api/app.ts'
import { openAudit } from './audit/audit.ts'
import { openCache, type Cache, type KeepingLimits } from './cache/cache.ts'
import { openHosted, type Hosted } from './hosted/hosted.ts'
import type { Metadata } from './metadata/metadata.ts'
import { sqliteMetadata } from './metadata/sqlite.ts'
import { namespaces, type Namespaces } from './namespaces/namespaces.ts'
import { splitName, upstreamOf, type RepositoryName, type Tag } from './oci/reference.ts'
import type { RegistrySource } from './oci/registry.ts'
import { readSignatureRules, signatureReports, signed } from './signatures/signatures.ts'
import { fsStore } from './store/fs-store.ts'
import type { BlobStore } from './store/store.ts'
import { createTelemetry, type Event, type Telemetry } from './telemetry/telemetry.ts'
import {
  chunkCollector,
  fetcher,
  jsonGetter,
  loginSource,
  openNetwork,
  poster,
  upstreamRegistry,
  type Login,
  type Network,
} from './upstream/upstream.ts'
import type { Warm } from './warm/warm.ts'
import { warming } from './warming.ts'
import { openWebhooks, type Webhooks } from './webhooks/webhooks.ts'

/** All that works on one data folder, wired. */
export interface Rooms {
  readonly config: Config
  readonly registry: Namespaces
  readonly access: Access
  readonly accountsFrom: AccountsFrom
  /** The upstream that clients call by a name. */
  readonly calledUpstream: (name: string) => string | undefined
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly cache: Cache
  readonly hosted: Hosted
  readonly warm: Warm
  readonly webhooks: Webhooks
  readonly signatures: ReturnType<typeof signatureReports>
  readonly telemetry: Telemetry
  readonly report: (event: Event) => void
  readonly now: () => number
  /** Begins what a server does by itself: looking after the store, collecting, delivering, warming. One process alone may for a folder. */
  start(): Promise<void>
  close(): Promise<void>
}

export interface RoomsOptions {
  /** The time by which tags and tokens age. */
  now: () => number
  logLevel: Config['log']['level']
}

/** How much is left of an upload's chunks that were copied before it is collected, in bytes. */
const garbageOfUploads = 8 * 1024 * 1024

/** Wires the rooms. Rejects when the data folder, the database or a file that the settings name cannot be had. */
export async function openRooms(config: Config, { now, logLevel }: RoomsOptions): Promise<Rooms> {
  const { data } = config.storage
  const { trustedRootFile } = config.signatures
  const signatureRules = await Promise.all(
    config.upstreams.map(({ signatures }) => readSignatureRules(signatures, trustedRootFile)),
  )
  const hooks = await withSecrets(config.webhooks)
  await mkdir(data, { recursive: true })
  const store = await fsStore(data, chunkCollector(garbageOfUploads))
  const metadata = sqliteMetadata(path.join(data, 'berth.db'))
  const network = openNetwork(await extraCa(config))

  const telemetry = createTelemetry({
    level: logLevel,
    readings: {
      fillsInFlight: () => cache.fillsInFlight,
      cacheBytes: () => metadata.storedBytes(),
      webhooksWaiting: () => webhooks.waiting(),
    },
    figures: {
      upstreamOf: (name) => (registry.isHosted(name) ? '' : upstreamOf(name)),
      write: (sums) => metadata.figures.add(sums, now()),
    },
    spent: (sums) => metadata.spending.add(sums, now()),
    now,
  })
  const webhooks = openWebhooks({
    hooks,
    metadata: metadata.webhooks,
    post: poster(network),
    source: config.publicUrl ?? 'berth',
    report: (event) => telemetry.report(event),
    now,
  })
  const audit = openAudit({
    metadata: metadata.audit,
    keep: config.audit.keep,
    now,
    failed: ({ message }) => telemetry.report({ type: 'storage-failure', message: `the audit log: ${message}` }),
  })
  const report = (event: Event) => {
    telemetry.report(event)
    audit.tell(event)
    webhooks.tell(event)
    if (isPullByTag(event)) metadata.browsing.pulled(event.name, event.tag, now())
  }
  const { connections, parallelThreshold, complete, maxTotalConnections, maxConnectionsPerUpstream } = config.fill
  const cache = openCache({
    store,
    metadata,
    fill: { connections, parallelThreshold, complete },
    limits: { total: maxTotalConnections, perUpstream: maxConnectionsPerUpstream },
    keep: keepingLimits(config),
    report,
    now,
  })

  const sources = new Map<string, RegistrySource>()
  const cached = config.upstreams.map((upstream, index) => {
    const { name } = upstream
    const shared = { upstream: name, metadata, now }
    const reach = { ...reached(upstream, network, now), report }
    const source = upstreamRegistry(reach)
    sources.set(name, source)
    const kept = cache.registry(name, source, upstream)
    const good = signed({ ...shared, registry: kept, rules: signatureRules[index]!, report })
    const registry = platformed({ ...shared, registry: good, rules: upstream })
    const anonymous = reach.accounts.length > 0 ? upstreamRegistry({ ...reach, accounts: [] }) : undefined
    return { ...upstream, registry: guarded({ ...shared, registry, rules: upstream, anonymous }) }
  })
  // Before what is hosted: it names the namespaces of its users.
  const passwords = new Passwords()
  const called = calledUpstream(config)
  const accountsFrom = await accountsOf({
    config,
    metadata,
    passwords,
    isUpstream: (name) => called(name) !== undefined,
    report,
    now,
  })
  const access = await openAccess({
    settings: config.access,
    folder: data,
    metadata,
    passwords,
    isHosted: (name) => registry.isHosted(name),
    getJson: jsonGetter(network),
    fetch: fetcher(network),
    accountsFrom,
    report,
    now,
  })
  const hosted = await openHosted({ ...config.hosted, store, metadata, report, now })
  const registry = namespaces(cached, hosted)
  const warm = warming({ config, registry, sources, metadata, report, now })
  const rulesOf = (name: RepositoryName) => {
    const repository = splitName(name)
    const index = config.upstreams.findIndex((each) => each.name === repository.registry)
    return index < 0 ? undefined : { repository, rules: signatureRules[index]! }
  }
  return {
    ...{
      config,
      registry,
      access,
      accountsFrom,
      metadata,
      store,
      cache,
      hosted,
      warm,
      webhooks,
      telemetry,
      report,
      now,
    },
    calledUpstream: called,
    signatures: signatureReports({ registry, metadata, rulesOf }),
    async start() {
      await cache.start()
      hosted.start()
      audit.start()
      webhooks.start()
      await warm.start()
    },
    async close() {
      access.stop()
      await warm.stop()
      await webhooks.stop()
      audit.stop()
      await hosted.stop()
      await cache.stop()
      await network.close()
      await telemetry.stop()
      await metadata.close()
      await store.close()
    },
  }
}

/** A client asked what a tag means, as each does once before it pulls: with GET or with HEAD, which kind it is. */
function isPullByTag(event: Event): event is RequestEvent & { tag: Tag } {
  return event.type === 'request' && event.tag !== undefined && event.status < 400
}

function reached(upstream: UpstreamConfig, network: Network, now: () => number) {
  const { name, credentials, tokenHosts, reserve } = upstream
  const url = new URL(upstream.url)
  const source = (login: Login) => loginSource(login, { upstream: name, url, now })
  const everywhere = { repositories: ['**'], callers: ['**'] }
  const accounts = [
    ...upstream.accounts.map((account) => ({ ...account, source: source(account) })),
    ...(credentials ? [{ name: 'credentials', ...everywhere, source: source(credentials) }] : []),
  ]
  return { name, url, tokenHosts, reserve, accounts, network, now }
}

function keepingLimits({ storage, upstreams }: Config): KeepingLimits {
  const idle = new Map(upstreams.map(({ name, maxIdle }) => [name, maxIdle ?? Infinity]))
  // What an upstream left that is configured no more goes when room is needed, like all else.
  return { ...storage, maxIdle: (upstream) => idle.get(upstream) ?? Infinity }
}

function withSecrets(hooks: Config['webhooks']) {
  return Promise.all(hooks.map(async (hook) => ({ ...hook, secret: (await readFile(hook.secretFile, 'utf8')).trim() })))
}

async function extraCa(config: Config): Promise<{ extraCa?: string }> {
  const file = config.network.extraCaFile
  return file === undefined ? {} : { extraCa: await readFile(file, 'utf8') }
}

import type { RegistrySource } from '../../src/oci/registry.ts'
import { parseReference, parseRepositoryName } from '../../src/oci/reference.ts'
import { parseDigest } from '../../src/oci/digest.ts'
import type { Blob } from '../../src/oci/registry.ts'
import type { Timeouts } from '../../src/upstream/network.ts'
import {
  loginSource,
  openNetwork,
  upstreamRegistry,
  type Login,
  type UpstreamEvent,
  type UpstreamOptions,
} from '../../src/upstream/upstream.ts'
import { atTestEnd } from './cleanup.ts'
import { makeClock, type TestClock } from './clock.ts'

export interface ReaderOptions extends Partial<Omit<UpstreamOptions, 'network' | 'url' | 'report' | 'now'>> {
  /** Of the registry: a test upstream's `url`, mostly. */
  url: string
  /** One login for everything. */
  credentials?: Login
  clock?: TestClock
  /** PEM. */
  extraCa?: string
  timeouts?: Partial<Timeouts>
}

/** The upstream room alone, without a cache: it asks for everything, every time. */
export async function startReader(options: ReaderOptions): Promise<Reader> {
  const { url, clock = makeClock(), extraCa, timeouts, credentials, ...others } = options
  const network = openNetwork({ ...(extraCa !== undefined && { extraCa }), ...(timeouts && { timeouts }) })
  await atTestEnd(() => network.close())
  const events: UpstreamEvent[] = []
  const now = () => clock.now()
  const source = credentials && loginSource(credentials, { upstream: 'up.test', url: new URL(url), now })
  const registry = upstreamRegistry({
    name: 'up.test',
    ...(source && { accounts: [{ name: 'credentials', repositories: ['**'], callers: ['**'], source }] }),
    ...others,
    url: new URL(url),
    network,
    report: (event) => events.push(event),
    now,
  })
  return new Reader(registry, events, clock)
}

/** Asks by plain strings. */
export class Reader {
  readonly registry: RegistrySource
  readonly events: UpstreamEvent[]
  readonly clock: TestClock

  constructor(registry: RegistrySource, events: UpstreamEvent[], clock: TestClock) {
    this.registry = registry
    this.events = events
    this.clock = clock
  }

  async manifest(name: string, reference: string) {
    return this.registry.getManifest(parseRepositoryName(name), parseReference(reference))
  }

  async head(name: string, reference: string) {
    return this.registry.headManifest(parseRepositoryName(name), parseReference(reference))
  }

  async open(name: string, digest: string, range?: { start: number; end: number }): Promise<Blob> {
    return this.registry.getBlob(parseRepositoryName(name), parseDigest(digest), range)
  }

  /** The whole of what a blob's request delivers. */
  async blob(name: string, digest: string, range?: { start: number; end: number }): Promise<Buffer> {
    const blob = await this.open(name, digest, range)
    const parts: Buffer[] = []
    const into = Buffer.alloc(64 * 1024)
    try {
      for (let got = await blob.read(into); got > 0; got = await blob.read(into)) {
        parts.push(Buffer.from(into.subarray(0, got)))
      }
      return Buffer.concat(parts)
    } finally {
      blob.close()
    }
  }

  headBlob(name: string, digest: string) {
    return this.registry.headBlob(parseRepositoryName(name), parseDigest(digest))
  }

  async tags(name: string): Promise<string[]> {
    return (await this.registry.listTags(parseRepositoryName(name), {})).tags
  }

  async referrers(name: string, digest: string) {
    return (await this.registry.listReferrers(parseRepositoryName(name), parseDigest(digest))).descriptors
  }
}

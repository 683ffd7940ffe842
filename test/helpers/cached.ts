import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { openCache, type Cache, type CacheEvent, type CacheOptions } from '../../src/cache/cache.ts'
import { sqliteMetadata } from '../../src/metadata/sqlite.ts'
import type { Metadata } from '../../src/metadata/metadata.ts'
import { parseDigest, type Digest } from '../../src/oci/digest.ts'
import type { ByteRange } from '../../src/oci/range.ts'
import { parseReference, parseRepositoryName } from '../../src/oci/reference.ts'
import type { Asker, Blob, RegistryReader } from '../../src/oci/registry.ts'
import { fsStore } from '../../src/store/fs-store.ts'
import type { BlobStore } from '../../src/store/store.ts'
import { openNetwork, upstreamRegistry } from '../../src/upstream/upstream.ts'
import { atTestEnd } from './cleanup.ts'
import { makeFolder } from './folder.ts'
import { eventually, openFilesIn } from './open-files.ts'
import type { Upstream } from './upstream.ts'

export interface CachedOptions extends Pick<CacheOptions, 'fill' | 'limits' | 'keep' | 'now'> {
  /** A data folder that is there already. */
  folder?: string
  /** Milliseconds. */
  freshness?: number
  /** Off unless a test is about it: it asks for more than the test did. */
  readAhead?: boolean
  platforms?: readonly string[]
  /** Bytes a second. */
  maxBandwidth?: number
}

/** A cache in front of a test upstream, on a real store and database, without HTTP in between. Closed when the test ends. */
export async function startCached(upstream: Upstream, options: CachedOptions = {}): Promise<Cached> {
  const {
    folder = makeFolder(),
    freshness = 60_000,
    readAhead = false,
    platforms = [],
    maxBandwidth,
    ...rest
  } = options
  mkdirSync(folder, { recursive: true })
  const events: CacheEvent[] = []
  const store = await fsStore(folder)
  const metadata = sqliteMetadata(path.join(folder, 'berth.db'))
  const network = openNetwork()
  const fill = { pause: 5, ...rest.fill }
  const cache = openCache({ ...rest, fill, store, metadata, report: (event) => events.push(event) })
  await cache.start()
  const reader = upstreamRegistry({
    name: 'up',
    url: new URL(upstream.url),
    network,
    ...(rest.now && { now: rest.now }),
  })
  const registry = cache.registry('up', reader, { freshness, rules: [], readAhead, platforms, maxBandwidth })
  const cached = new Cached({ cache, registry, store, metadata, folder, events }, async () => {
    await cache.stop()
    await network.close()
    await metadata.close()
    await store.close()
  })
  await atTestEnd(() => cached.stop())
  return cached
}

interface Parts {
  readonly cache: Cache
  readonly registry: RegistryReader
  readonly store: BlobStore
  readonly metadata: Metadata
  readonly folder: string
  readonly events: CacheEvent[]
}

export class Cached implements Parts {
  readonly cache: Cache
  readonly registry: RegistryReader
  readonly store: BlobStore
  readonly metadata: Metadata
  readonly folder: string
  readonly events: CacheEvent[]
  readonly #stop: () => Promise<void>
  #stopped: Promise<void> | undefined

  constructor(parts: Parts, stop: () => Promise<void>) {
    this.cache = parts.cache
    this.registry = parts.registry
    this.store = parts.store
    this.metadata = parts.metadata
    this.folder = parts.folder
    this.events = parts.events
    this.#stop = stop
  }

  /** As a process that is told to end: fetching stops, what has come is kept. May be called again. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async open(repository: string, digest: string, range?: ByteRange): Promise<Blob> {
    const asker: Asker = { caller: undefined, noCache: false, mayReadPrivate: 'granted' }
    return this.registry.getBlob(parseRepositoryName(repository), parseDigest(digest), range, asker)
  }

  /** A blob, or a range of it, read to its end. */
  async read(repository: string, digest: string, range?: ByteRange): Promise<Buffer> {
    return readAll(await this.open(repository, digest, range))
  }

  /** A manifest by tag or digest. */
  async manifest(repository: string, reference: string) {
    return this.registry.getManifest(parseRepositoryName(repository), parseReference(reference))
  }

  /** What the store holds of a blob; undefined when it holds none. */
  async stored(digest: string): Promise<Buffer | undefined> {
    const blob = await this.store.open(digest as Digest)
    if (!blob) return undefined
    try {
      const bytes = Buffer.alloc(blob.size)
      for (let at = 0; at < bytes.length;) at += await blob.read(bytes.subarray(at), at)
      return bytes
    } finally {
      blob.close()
    }
  }

  /** Names of files in `partial/`. */
  get partialFiles(): string[] {
    return readdirSync(path.join(this.folder, 'partial'))
  }

  /** How often an event of this type was reported. */
  count(type: CacheEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }

  /** Resolves when no blob is being fetched. */
  settled(deadline?: number): Promise<void> {
    return eventually(
      () => this.cache.fillsInFlight === 0,
      () => `no fill in flight, saw ${this.cache.fillsInFlight}; ${JSON.stringify(this.events.slice(-5))}`,
      deadline,
    )
  }

  /** Fails unless every fill ends and leaves no partial file and no blob open. */
  async expectNothingLeft(): Promise<void> {
    await this.settled()
    const open = () => openFilesIn(this.folder).filter((file) => /\/(partial|blobs)\//.test(file))
    const left = () => [...this.partialFiles, ...open()]
    await eventually(
      () => left().length === 0,
      () => `nothing left, saw ${left().join(', ')}`,
    )
  }
}

/** Reads a blob to its end and closes it, by a buffer of this size. */
export async function readAll(blob: Blob, bufferSize = 64 * 1024): Promise<Buffer> {
  if (blob.whole) return Buffer.from(blob.whole)
  const parts: Buffer[] = []
  try {
    for (;;) {
      const buffer = Buffer.alloc(bufferSize)
      const got = await blob.read(buffer)
      if (got === 0) return Buffer.concat(parts)
      parts.push(buffer.subarray(0, got))
    }
  } finally {
    blob.close()
  }
}

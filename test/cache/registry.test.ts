import { describe, expect, it } from 'vitest'
import { openCache } from '../../src/cache/cache.ts'
import { sqliteMetadata } from '../../src/metadata/sqlite.ts'
import { parseDigest } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import type { RegistryReader } from '../../src/oci/registry.ts'
import { fsStore } from '../../src/store/fs-store.ts'
import { readAll, startCached, type Cached } from '../helpers/cached.ts'
import { atTestEnd } from '../helpers/cleanup.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'
import { registryContent, testRegistry } from '../suites/registry.ts'

async function startOne(options: Omit<UpstreamOptions, 'content'> = {}): Promise<Cached> {
  return startCached(await startUpstream({ ...options, content: registryContent }))
}

/** A cache in front of a registry that may be a cache itself. */
async function startInFrontOf(behind: RegistryReader): Promise<RegistryReader> {
  const folder = makeFolder()
  const store = await fsStore(folder)
  const metadata = sqliteMetadata(`${folder}/berth.db`)
  const cache = openCache({ store, metadata })
  await cache.start()
  await atTestEnd(async () => {
    await cache.stop()
    await metadata.close()
    await store.close()
  })
  return cache.registry('cache', behind, { freshness: 60_000, rules: [] })
}

testRegistry('a cache', async () => (await startOne()).registry)
testRegistry('a cache in front of a cache', async () => startInFrontOf((await startOne()).registry))
testRegistry('a cache of a registry that tells no digests, ETags and referrers (case 27)', async () => {
  const { registry } = await startOne({ quirks: { noDigest: true, noETag: true, noReferrers: true, paging: 'opaque' } })
  return registry
})
testRegistry('a cache of a registry with a CDN and tokens', async () => {
  const { registry } = await startOne({ cdn: {}, auth: { kind: 'bearer', realmHost: 'other' } })
  return registry
})

describe('a cache in front of a cache', () => {
  it('costs one request a blob at the far end, and passes bytes on before it has all of them', async () => {
    const upstream = await startUpstream({ content: registryContent })
    const near = await startInFrontOf((await startCached(upstream)).registry)
    const name = parseRepositoryName('library/app')
    const layer = parseDigest(registryContent.digest('library/app', 'layer'))
    const release = upstream.hold(/blobs/, 1_500_000)
    const all = Array.from({ length: 8 }, () => near.getBlob(name, layer))
    const first = await all[0]!
    expect(await first.read(Buffer.alloc(1000))).toBeGreaterThan(0)
    release()
    first.close()
    for (const blob of all.slice(1)) {
      expect((await readAll(await blob)).equals(registryContent.bytes('library/app', 'layer'))).toBe(true)
    }
    expect(upstream.count(/GET .*blobs/)).toBe(1)
  })

  it('serves stale what the far one serves stale', async () => {
    const upstream = await startUpstream({ content: registryContent })
    const far = await startCached(upstream, { freshness: 0 })
    const near = await startInFrontOf(far.registry)
    const name = parseRepositoryName('library/app')
    await far.manifest(name, 'v1')
    await upstream.stop()
    const manifest = await near.getManifest(name, parseTag('v1'))
    expect(manifest.digest).toBe(registryContent.digest(name, 'v1'))
  })
})

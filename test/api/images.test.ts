import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { helmChart, orasArtifact } from '../helpers/artifacts.ts'
import { makeClock } from '../helpers/clock.ts'
import type { RepositorySpec } from '../helpers/content.ts'
import { fetchRaw } from '../helpers/http.ts'
import { mediaTypes, type DescriptorSpec } from '../helpers/manifest-spec.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Content of every kind passes through as it is; what others tripped over is named at each test.

async function start(repository: RepositorySpec, options: Partial<UpstreamOptions> = {}) {
  const clock = makeClock()
  const upstream = await startUpstream({ content: { 'org/app': repository }, clock, ...options })
  const berth = await startBerth({ clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  const ask = (path: string, method = 'GET') => fetchRaw(`${berth.url}/v2/org/app/${path}`, { method })
  return { upstream, clock, ask, repository: upstream.content.in('org/app') }
}

/** Pulls a manifest and everything below it by digest, and compares bytes and types with the upstream's. */
async function expectSame({ ask, repository }: Awaited<ReturnType<typeof start>>, name: string): Promise<void> {
  const digest = repository.digest(name)
  const manifest = repository.manifests.get(digest)
  const answer = await ask(`${manifest ? 'manifests' : 'blobs'}/${digest}`)
  expect([name, answer.status, answer.raw.equals(repository.bytes(name))]).toEqual([name, 200, true])
  expect(answer.headers['docker-content-digest']).toBe(digest)
  if (manifest) expect(answer.headers['content-type']).toBe(manifest.mediaType)
}

const blobs = { config: '{"os":"linux"}', layer: 'layer', other: 'other', statement: '{"predicate":{}}' }
const platform = (of: string, os: string, architecture: string): DescriptorSpec => ({
  of,
  platform: { os, architecture },
})

describe('an image', () => {
  const image = {
    blobs,
    manifests: {
      amd: { config: 'config', layers: ['layer'] },
      arm: { config: 'config', layers: ['other'] },
      attestation: { config: 'config', layers: [{ of: 'statement', mediaType: 'application/vnd.in-toto+json' }] },
      index: {
        manifests: [
          platform('amd', 'linux', 'amd64'),
          platform('arm', 'linux', 'arm64'),
          {
            ...platform('attestation', 'unknown', 'unknown'),
            annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
          },
        ],
      },
    },
    tags: { 1: 'index' },
  }

  it('of Docker’s types is not turned into OCI’s: digests stay, and a second pull costs nothing (case 30: zot #2836)', async () => {
    const docker = { mediaType: mediaTypes.dockerManifest, config: 'config', layers: ['layer'] }
    const started = await start({ blobs, manifests: { m: docker }, tags: { 1: 'm' } })
    for (const _ of ['cold', 'warm']) for (const name of ['m', 'config', 'layer']) await expectSame(started, name)
    expect(started.upstream.count(/GET .*blobs/)).toBe(2)
  })

  it('of many platforms gives any of them at any time (case 31: camunda-platform-helm #6804)', async () => {
    const started = await start(image)
    const { ask, clock } = started
    await ask('manifests/1')
    for (const name of ['amd', 'config', 'layer']) await expectSame(started, name)
    clock.advance(30 * 24 * 3_600_000)
    for (const name of ['arm', 'other']) await expectSame(started, name)
  })

  it('with attestations gives these, whatever their platform and layers (case 32: nexus-public #1070)', async () => {
    const started = await start(image)
    for (const name of ['index', 'attestation', 'statement']) await expectSame(started, name)
    const asked = started.upstream.received.map(({ url }) => url)
    expect(asked.filter((url) => !url.includes(':'))).toEqual([])
  })

  it('whose tag is deleted upstream is 404 by tag, and stays by digest (case 34: harbor #20079)', async () => {
    const started = await start(image)
    const { upstream, clock, ask } = started
    await ask('manifests/1')
    upstream.deleteTag('org/app', '1')
    clock.advance(120_000)
    for (const method of ['HEAD', 'GET']) expect((await ask('manifests/1', method)).status).toBe(404)
    await expectSame(started, 'index')
  })

  it('that was missing is there soon after it is pushed: a 404 is not believed for long (case 34: harbor #20997)', async () => {
    const { upstream, clock, ask } = await start(image)
    expect((await ask('manifests/new')).status).toBe(404)
    upstream.retag('org/app', 'new', 'amd')
    clock.advance(10_000)
    expect((await ask('manifests/new')).status).toBe(200)
  })
})

describe('an artifact', () => {
  it('that is a Helm chart passes: its manifest names no type of its own (case 49)', async () => {
    const started = await start(helmChart())
    for (const name of ['manifest', 'config', 'chart']) await expectSame(started, name)
  })

  it('of ORAS passes with its empty file, and its referrers are found (case 48: harbor #20808)', async () => {
    const started = await start(orasArtifact())
    for (const name of ['artifact', 'file', 'nothing', 'empty', 'signature', 'sbom']) await expectSame(started, name)
  })

  it('has its referrers found by their tag where the upstream has no API for them (ghcr.io; case 48)', async () => {
    const { ask, repository } = await start(orasArtifact(), { quirks: { noReferrers: true } })
    const answer = await ask(`referrers/${repository.digest('artifact')}`)
    const { manifests } = answer.json() as { manifests: { digest: string }[] }
    expect(answer.headers['content-type']).toBe(mediaTypes.ociIndex)
    expect(manifests.map(({ digest }) => digest).sort()).toEqual(
      [repository.digest('signature'), repository.digest('sbom')].sort(),
    )
  })

  it('has its signature tag passed through (cosign asks for sha256-<hex>.sig)', async () => {
    const tag = `sha256-${'a'.repeat(64)}.sig`
    const { ask } = await start({ blobs, manifests: { s: { layers: ['layer'] } }, tags: { [tag]: 's' } })
    expect((await ask(`manifests/${tag}`)).status).toBe(200)
  })

  it('of unknown types passes (case 49: buildkit PR #3610)', async () => {
    const wasm = { of: 'layer', mediaType: 'application/wasm' }
    const config = { of: 'config', mediaType: 'application/vnd.example.anything.v9+json' }
    const started = await start({ blobs, manifests: { m: { config, layers: [wasm] } }, tags: { 1: 'm' } })
    for (const name of ['m', 'config', 'layer']) await expectSame(started, name)
  })

  it('that is BuildKit’s cache passes: an index whose children are layers (case 50: buildkit #2251)', async () => {
    const cacheConfig = { of: 'config', mediaType: 'application/vnd.buildkit.cacheconfig.v0' }
    const layer = { of: 'layer', mediaType: mediaTypes.ociLayerGzip }
    const started = await start({
      blobs,
      manifests: { cache: { manifests: [layer, cacheConfig] } },
      tags: { cache: 'cache' },
    })
    for (const name of ['cache', 'layer', 'config']) await expectSame(started, name)
  })

  it('with a layer that lies elsewhere passes; the layer is 404, and nobody is asked for its URL (case 63: moby #33650)', async () => {
    const elsewhere = await startUpstream({ content: {} })
    const digest = `sha256:${'f'.repeat(64)}`
    const foreign = { of: digest, size: 10, urls: [`${elsewhere.url}/windows`] }
    const started = await start({
      blobs,
      manifests: { m: { config: 'config', layers: [foreign, 'layer'] } },
      tags: { 1: 'm' },
    })
    for (const name of ['m', 'config', 'layer']) await expectSame(started, name)
    expectError(await started.ask(`blobs/${digest}`), 'BLOB_UNKNOWN')
    expect(elsewhere.requests).toEqual([])
  })
})

describe('sizes and lists', () => {
  it('of a layer beyond 2^32 bytes are told right (case 43: harbor #22393)', async () => {
    const { upstream, ask } = await start({ blobs, manifests: { m: { layers: ['layer'] } } })
    const length = { 'content-length': '40000000000' }
    upstream.set({ faults: [{ on: /^HEAD .*blobs/, status: 200, body: '', headers: length }] })
    const answer = await ask(`blobs/sha256:${'e'.repeat(64)}`, 'HEAD')
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '40000000000'])
  })

  it('of tags are those known here while the upstream is away (case 47: git-pkgs/proxy PR #280)', async () => {
    const manifests = { m: { layers: ['layer'] } }
    const { upstream, ask } = await start({ blobs, manifests, tags: { b: 'm', a: 'm', c: 'm' } })
    for (const tag of ['b', 'a']) await ask(`manifests/${tag}`)
    await upstream.stop()
    expect((await ask('tags/list')).json()).toEqual({ name: 'org/app', tags: ['a', 'b'] })
  })
})

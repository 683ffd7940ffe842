import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { helmChart, orasArtifact } from './artifacts.ts'
import { makeContent, type Repository, type RepositorySpec } from './content.ts'
import { fetchRaw } from './http.ts'
import * as images from './images.ts'
import { startUpstream } from './upstream.ts'

interface Image {
  mediaType?: string
  config: { digest: string }
  layers: { digest: string; mediaType: string }[]
}

const unpack: Record<string, (blob: Buffer) => Buffer> = {
  gzip: (blob) => gunzipSync(blob),
  zstd: (blob) => execFileSync('zstd', ['-dc'], { input: blob, maxBuffer: 1024 ** 3 }),
  tar: (blob) => blob,
}

function resolve(spec: RepositorySpec): Repository {
  return makeContent({ image: spec }).in('image')
}

function expectUnpacks(repository: Repository, name: string): void {
  const { config, layers } = repository.json(name) as Image
  const tars = layers.map(({ digest, mediaType }) => {
    const kind = /(gzip|zstd|tar)$/.exec(mediaType)![1]!
    return unpack[kind]!(repository.bytes(digest))
  })
  const diffIds = tars.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`)
  expect(repository.json(config.digest)).toMatchObject({ rootfs: { diff_ids: diffIds } })
  for (const tar of tars) execFileSync('tar', ['-t'], { input: tar })
}

describe.skipIf(!images.hasBusybox)('images of busybox (skipped without /bin/busybox)', () => {
  it('have layers that unpack to their diff ids', () => {
    expectUnpacks(resolve(images.busyboxImage()), '1')
    expectUnpacks(resolve(images.busyboxImage({ form: 'docker' })), '1')
    expectUnpacks(resolve(images.emptyLayerImage()), '1')
  })

  it.skipIf(!images.hasZstd)('may be compressed by zstd (skipped without the zstd command)', () => {
    expectUnpacks(resolve(images.zstdImage()), '1')
  })

  it('come as an index with attestations of each platform', () => {
    const repository = resolve(images.multiArchImage())
    const { manifests } = repository.json('1') as { manifests: { annotations?: Record<string, string> }[] }
    expect(manifests).toMatchObject([
      { digest: repository.digest('amd64'), platform: { os: 'linux', architecture: 'amd64' } },
      { digest: repository.digest('arm64'), platform: { os: 'linux', architecture: 'arm64' } },
      { platform: { os: 'unknown', architecture: 'unknown' } },
      { annotations: { 'vnd.docker.reference.digest': repository.digest('arm64') } },
    ])
    expectUnpacks(repository, images.thisArchitecture)
  })

  it('come as a Docker manifest list of schema 2 manifests', () => {
    const repository = resolve(images.dockerListImage())
    expect(repository.json('1')).toMatchObject({
      mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
      manifests: [{ mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }, {}],
    })
  })
})

it('an image with a large layer is a tar file that need not be in memory', () => {
  const before = process.memoryUsage().rss
  const repository = resolve(images.largeImage(64 * 1024 ** 2))
  expect(repository.size('1.layer0')).toBe(64 * 1024 ** 2 + 1536)
  expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 ** 2)
  expectUnpacks(repository, '1')
})

it('a chart holds its files in a folder of its name', () => {
  const chart = resolve(helmChart())
  const files = execFileSync('tar', ['-tz'], { input: chart.bytes('chart') }).toString()
  expect(files).toContain('hello/Chart.yaml')
  expect(chart.json('manifest')).not.toHaveProperty('mediaType')
})

it('an artifact has referrers, by the API and by the fallback tag', async () => {
  const upstream = await startUpstream({ content: { art: orasArtifact() } })
  const subject = upstream.content.digest('art', 'artifact')
  const ask = async (path: string) => (await fetchRaw(`${upstream.url}/v2/art/${path}`)).json()
  const signature = { digest: upstream.content.digest('art', 'signature') }
  expect(await ask(`referrers/${subject}?artifactType=application/vnd.example.signature`)).toMatchObject({
    manifests: [signature],
  })
  upstream.set({ quirks: { noReferrers: true } })
  expect(await ask(`manifests/${subject.replace(':', '-')}`)).toMatchObject({ manifests: [signature, {}] })
})

import { describe, expect, it } from 'vitest'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 4 * mebibyte
const name = 'library/app'
const huge = { digest: `sha256:${'a'.repeat(64)}`, size: 40_000_000_000 }

async function startBoth(options: Omit<UpstreamOptions, 'content'> = {}, settings = {}) {
  const content = {
    [name]: {
      blobs: { config: '{}', big: { size, seed: 71 } },
      manifests: { m: { config: 'config', layers: ['big', { of: huge.digest, size: huge.size }] } },
      tags: { 1: 'm' },
    },
  }
  const upstream = await startUpstream({ ...options, content })
  const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }], ...settings })
  const big = upstream.content.digest(name, 'big')
  const manifest = () => fetchRaw(`${berth.url}/v2/${name}/manifests/1`)
  return {
    upstream,
    berth,
    big,
    manifest,
    blob: `${berth.url}/v2/${name}/blobs/${big}`,
    bytes: upstream.content.bytes(name, 'big'),
  }
}

describe('what a client sees of a fill', () => {
  it('Content-Length, digest and ETag come first, with the first bytes (case 18)', async () => {
    const { upstream, big, blob } = await startBoth()
    const release = upstream.hold(/blobs/, mebibyte)
    const client = await openRaw(blob)
    const { 'content-length': length, 'docker-content-digest': digest, etag } = client.headers
    expect({ length, digest, etag }).toEqual({ length: String(size), digest: big, etag: `"${big}"` })
    expect(await client.read(1000)).toHaveLength(1000)
    release()
    await client.rest()
    expect(client.complete).toBe(true)
  })

  it('a failure in the middle is a broken connection, never a clean end (case 18, harbor 23373, node 25081)', async () => {
    const { upstream, blob } = await startBoth({
      quirks: { noRange: true },
      faults: [{ on: /blobs/, cutAfter: mebibyte }],
    })
    const release = upstream.hold(/blobs/, 1000)
    const client = await openRaw(blob)
    release()
    await upstream.stop()
    expect((await client.rest()).length).toBeLessThan(size)
    expect(client.complete).toBe(false)
  })

  it('wrong bytes to the end are a broken connection, also where the length was not known', async () => {
    const { blob } = await startBoth({ quirks: { chunked: true }, faults: [{ on: /blobs/, wrongByte: 7 }] })
    const client = await openRaw(blob)
    await client.rest()
    expect(client.complete).toBe(false)
  })

  it('a failure that is known before any byte is a status (case 24, containerd 9552)', async () => {
    const { blob } = await startBoth({ faults: [{ on: /blobs/, status: 503 }] })
    const answer = await fetchRaw(blob)
    expect(answer.status).toBe(502)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] })
  })

  it('a slow client holds back neither the fill nor the others', async () => {
    const { upstream, blob, bytes } = await startBoth()
    const slow = await openRaw(blob)
    await slow.read(10)
    expect((await fetchRaw(blob)).raw.equals(bytes)).toBe(true)
    expect(upstream.count(/GET .*blobs/)).toBe(1)
    expect((await slow.rest()).equals(bytes.subarray(10))).toBe(true)
  })

  it('a layer of 40 GB has its size in the headers (case 43)', async () => {
    const { berth, manifest } = await startBoth()
    await manifest()
    const { headers } = await fetchRaw(`${berth.url}/v2/${name}/blobs/${huge.digest}`, { method: 'HEAD' })
    expect(headers['content-length']).toBe(String(huge.size))
  })
})

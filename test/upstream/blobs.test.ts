import { describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { quirksOf, startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Blobs as registries really answer.

async function start(options: Partial<UpstreamOptions> = {}) {
  const blobs = { a: '0123456789', empty: '' }
  const image = { blobs, manifests: { m: { config: 'a', layers: ['a', 'empty'] } }, tags: { 20: 'm' } }
  const upstream = await startUpstream({ content: { 'org/app': image }, ...options })
  const reader = await startReader({ url: upstream.url })
  return { upstream, reader, digest: upstream.content.digest('org/app', 'a') }
}

describe('a HEAD of a blob', () => {
  it('is one HEAD', async () => {
    const { upstream, reader, digest } = await start()
    expect(await reader.headBlob('org/app', digest)).toEqual({ digest, size: 10 })
    expect(upstream.received.map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('that is refused is followed by a GET of one byte (ECR Public: distribution #4383)', async () => {
    const { upstream, reader, digest } = await start({ quirks: quirksOf.ecrPublic, cdn: {} })
    expect(await reader.headBlob('org/app', digest)).toEqual({ digest, size: 10 })
    expect(upstream.received.at(-1)?.headers.range).toBe('bytes=0-0')
    expect(upstream.served(digest)).toEqual([[0, 1]])
  })

  it('that is refused, of a blob without bytes, is followed by a GET that tells so (case 54)', async () => {
    const { upstream, reader } = await start({ quirks: quirksOf.ecrPublic })
    const empty = upstream.content.digest('org/app', 'empty')
    expect(await reader.headBlob('org/app', empty)).toEqual({ digest: empty, size: 0 })
  })

  it('that is refused by a registry without ranges reads no more than the head of the body', async () => {
    const { reader, digest } = await start({ quirks: { headBlob: 401, noRange: true } })
    expect(await reader.headBlob('org/app', digest)).toEqual({ digest, size: 10 })
  })

  it('without a length has no size', async () => {
    const { reader, digest } = await start({ quirks: { chunked: true } })
    expect(await reader.headBlob('org/app', digest)).toEqual({ digest, size: undefined })
  })

  it('of what is not there is BLOB_UNKNOWN', async () => {
    const { reader } = await start()
    const absent = `sha256:${'0'.repeat(64)}`
    await expect(reader.headBlob('org/app', absent)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN', status: 404 })
  })
})

describe('a range of a blob', () => {
  it('is that range', async () => {
    const { reader, digest } = await start()
    const blob = await reader.open('org/app', digest, { start: 2, end: 5 })
    expect([blob.range, blob.size]).toEqual([{ start: 2, end: 5 }, 10])
    blob.close()
    expect((await reader.blob('org/app', digest, { start: 2, end: 5 })).toString()).toBe('234')
  })

  it('of a registry without ranges is the whole, and says so (case 44: a part is never the whole)', async () => {
    const { reader, digest } = await start({ quirks: { noRange: true } })
    const blob = await reader.open('org/app', digest, { start: 2, end: 5 })
    expect(blob.range).toEqual({ start: 0, end: 10 })
    blob.close()
  })

  it.each(['bytes 0-2/10', 'bytes 3-5/10', 'bytes 2-9/10', 'bytes */10', 'nonsense', ''])(
    'that is answered with Content-Range %j is a bad answer (case 44)',
    async (contentRange) => {
      const fault = { on: /blobs/, status: 206, body: 'abc', headers: { 'content-range': contentRange } }
      const { reader, digest } = await start({ faults: [fault] })
      const asked = reader.blob('org/app', digest, { start: 2, end: 5 })
      await expect(asked).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
    },
  )

  it('that ends early is a failure to be tried again, whatever the form of the end', async () => {
    const { upstream, reader, digest } = await start()
    for (const faults of [[{ cutAfter: 1 }], [{ shortBy: 1 }]]) {
      upstream.set({ faults })
      const asked = reader.blob('org/app', digest, { start: 2, end: 5 })
      await expect(asked).rejects.toMatchObject({ failure: 'unreachable', temporary: true })
      reader.clock.advance(60_000)
    }
  })
})

describe('through Berth', () => {
  it('HEAD of a cold blob is the size of the upstream, and nothing is downloaded (case 25: harbor #22609)', async () => {
    const { upstream, digest } = await start()
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const head = await fetchRaw(`${berth.url}/v2/org/app/blobs/${digest}`, { method: 'HEAD' })
    expect([head.status, head.headers['content-length']]).toEqual([200, '10'])
    expect(upstream.received.map(({ method }) => method)).toEqual(['HEAD'])
    expect(upstream.bytesSent).toBe(0)
  })

  it('a blob of an upstream without lengths is whole, chunked, and has its length when it is kept (case 27)', async () => {
    const { upstream, digest } = await start({ quirks: { chunked: true } })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const pull = () => fetchRaw(`${berth.url}/v2/org/app/blobs/${digest}`)
    const cold = await pull()
    expect([cold.status, cold.text(), cold.complete]).toEqual([200, '0123456789', true])
    const warm = await pull()
    expect([warm.text(), warm.headers['content-length']]).toEqual(['0123456789', '10'])
    expect(upstream.count(/GET .*blobs/)).toBe(1)
  })

  it('HEAD of a manifest has all headers of GET, cold and warm, whatever the upstream lacks (case 26)', async () => {
    const { upstream } = await start({ quirks: { chunked: true, noDigest: true, headManifest: 405 } })
    const digest = upstream.content.digest('org/app', 'm')
    for (const first of ['HEAD', 'GET']) {
      const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
      for (const method of [first, 'HEAD', 'GET', 'HEAD']) {
        const { headers } = await fetchRaw(`${berth.url}/v2/org/app/manifests/20`, { method })
        expect(headers).toMatchObject({
          'content-type': 'application/vnd.oci.image.manifest.v1+json',
          'content-length': String(upstream.content.size('org/app', 'm')),
          'docker-content-digest': digest,
        })
      }
    }
  })
})

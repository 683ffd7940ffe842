import { describe, expect, it } from 'vitest'
import { acceptManifests } from '../../src/oci/media-types.ts'
import { mediaTypes, type ManifestSpec } from '../helpers/manifest-spec.ts'
import { startReader } from '../helpers/reader.ts'
import { quirksOf, startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Manifests as registries really answer: without digests, lengths or types, without HEAD, with the wrong bytes.

async function start(options: Partial<UpstreamOptions> = {}, manifest: ManifestSpec = { config: 'a', layers: ['a'] }) {
  const content = { 'org/app': { blobs: { a: '0123456789' }, manifests: { m: manifest }, tags: { 20: 'm' } } }
  const upstream = await startUpstream({ content, ...options })
  const reader = await startReader({ url: upstream.url })
  const { digest, size, bytes } = upstream.content
  const expected = { digest: digest('org/app', 'm'), size: size('org/app', 'm') }
  return { upstream, reader, expected, bytes: bytes('org/app', 'm') }
}

const methods = (requests: readonly { method: string }[]) => requests.map(({ method }) => method)

describe('a request for a manifest', () => {
  it('has the one fixed list of types, schema 1 not among them (case 29: artipie/docker-adapter #449)', async () => {
    const { upstream, reader, expected } = await start()
    await reader.head('org/app', '20')
    await reader.manifest('org/app', '20')
    await reader.manifest('org/app', expected.digest)
    expect(upstream.received.map(({ headers }) => headers.accept)).toEqual(Array(3).fill(acceptManifests))
    for (const type of [
      mediaTypes.ociIndex,
      mediaTypes.ociManifest,
      mediaTypes.dockerList,
      mediaTypes.dockerManifest,
    ]) {
      expect(acceptManifests).toContain(type)
    }
    expect(acceptManifests).not.toContain('docker.distribution.manifest.v1')
    expect(acceptManifests).toMatch(/, \*\/\*$/)
  })

  it('goes below the path of the upstream’s URL', async () => {
    const { upstream } = await start()
    const reader = await startReader({ url: `${upstream.url}/virtual/docker` })
    await reader.manifest('org/app', '20').catch(() => {})
    expect(upstream.received.map(({ url }) => url)).toEqual(['/virtual/docker/v2/org/app/manifests/20'])
  })

  it('wants no encoding of any kind, nor do those for blobs, lists and tokens (rule 7: quay #1310)', async () => {
    const { upstream, reader, expected, bytes } = await start({ auth: { kind: 'bearer' }, quirks: quirksOf.redhat })
    const manifest = await reader.manifest('org/app', expected.digest)
    expect(Buffer.from(manifest.bytes).equals(bytes)).toBe(true)
    await reader.blob('org/app', upstream.content.digest('org/app', 'a'))
    await reader.tags('org/app')
    expect(new Set(upstream.received.map(({ headers }) => headers['accept-encoding']))).toEqual(new Set(['identity']))
  })
})

describe('a manifest', () => {
  it.each([mediaTypes.ociManifest, mediaTypes.dockerManifest, 'application/vnd.example.any+json'])(
    'of type %s comes with that type and its bytes (case 28)',
    async (mediaType) => {
      const { reader, expected, bytes } = await start({}, { mediaType, layers: ['a'] })
      const manifest = await reader.manifest('org/app', '20')
      expect(manifest).toMatchObject({ ...expected, mediaType })
      expect(Buffer.from(manifest.bytes).equals(bytes)).toBe(true)
    },
  )

  it('with parameters in its Content-Type comes without them', async () => {
    const { reader } = await start({ quirks: { manifestType: `${mediaTypes.ociManifest}; charset=utf-8` } })
    expect((await reader.manifest('org/app', '20')).mediaType).toBe(mediaTypes.ociManifest)
  })

  it.each([
    'application/octet-stream',
    'application/json',
    'text/plain',
    'text/plain; charset=utf-8',
    // As which a browser would run what is in it as ours.
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
  ])('of type %s has the type it says itself (Red Hat, plain file servers)', async (manifestType) => {
    const { reader } = await start(
      { quirks: { manifestType } },
      { mediaType: mediaTypes.dockerManifest, layers: ['a'] },
    )
    expect((await reader.manifest('org/app', '20')).mediaType).toBe(mediaTypes.dockerManifest)
  })

  it('of schema 1 is refused with a clear message', async () => {
    const manifestType = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
    const { reader } = await start({ quirks: { manifestType } })
    await expect(reader.manifest('org/app', '20')).rejects.toThrow(/schema 1.*pushed anew/)
  })

  it('without Docker-Content-Digest has its digest computed (case 27: distribution #3848)', async () => {
    const { reader, expected } = await start({ quirks: quirksOf.ecr })
    expect(await reader.manifest('org/app', '20')).toMatchObject(expected)
  })

  it('without Content-Length is as long as it is (case 27: distribution #4895)', async () => {
    const { reader, expected } = await start({ quirks: { chunked: true } })
    expect(await reader.manifest('org/app', '20')).toMatchObject(expected)
  })

  it('that is not what was asked for by digest is a bad answer', async () => {
    const { reader, expected } = await start({ faults: [{ on: /manifests/, wrongByte: 5 }] })
    await expect(reader.manifest('org/app', expected.digest)).rejects.toMatchObject({
      failure: 'bad-answer',
      status: 502,
    })
  })

  it('that is not what its own digest header says is a bad answer', async () => {
    const { reader } = await start({ faults: [{ on: /manifests/, wrongByte: 5 }] })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
  })

  it.each(['nonsense', 'sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', ''])(
    'with %j for a digest header has its digest computed (case 27)',
    async (digest) => {
      const { upstream, reader, expected, bytes } = await start()
      const headers = { 'docker-content-digest': digest, 'content-type': mediaTypes.ociManifest }
      upstream.set({ faults: [{ status: 200, body: bytes.toString(), headers }] })
      expect(await reader.manifest('org/app', '20')).toMatchObject(expected)
      expect(await reader.head('org/app', '20')).toMatchObject(expected)
    },
  )

  it('that says itself that it is a web page has the type of its shape', async () => {
    const { reader } = await start({ quirks: { manifestType: 'text/html' } }, { mediaType: 'text/html', layers: ['a'] })
    expect((await reader.manifest('org/app', '20')).mediaType).toBe(mediaTypes.ociManifest)
  })

  it('that is a web page is a bad answer (a proxy that asks for a login)', async () => {
    const fault = { status: 200, body: '<html>log in</html>', headers: { 'content-type': 'text/html' } }
    const { reader } = await start({ faults: [fault] })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
  })

  it('of more than 4 MiB is a bad answer that says so (case 55)', async () => {
    const { reader } = await start({}, { raw: JSON.stringify({ padding: 'x'.repeat(4 * 1024 * 1024) }) })
    await expect(reader.manifest('org/app', '20')).rejects.toThrow(/at most 4194304 bytes/)
  })

  it('of just under 4 MiB passes (case 55)', async () => {
    const { reader } = await start({}, { raw: JSON.stringify({ padding: 'x'.repeat(4 * 1024 * 1024 - 20) }) })
    expect((await reader.manifest('org/app', '20')).size).toBeGreaterThan(4_000_000)
  })

  it('that breaks off is a failure to be tried again', async () => {
    const { reader } = await start({ faults: [{ on: /manifests/, cutAfter: 10 }] })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ temporary: true, status: 502 })
  })

  it('that ends early with a length to match is a bad answer, by its digest', async () => {
    const { reader } = await start({ faults: [{ on: /manifests/, shortBy: 5 }] })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer' })
  })
})

describe('a HEAD of a manifest', () => {
  it('is one HEAD where the registry answers it in full', async () => {
    const { upstream, reader, expected } = await start()
    expect(await reader.head('org/app', '20')).toEqual({ ...expected, mediaType: mediaTypes.ociManifest })
    expect(methods(upstream.received)).toEqual(['HEAD'])
  })

  it.each([400, 401, 403, 405, 501])(
    'that is answered %i is followed by a GET (GitHub Enterprise: containerd #5860, #6684)',
    async (headManifest) => {
      const { upstream, reader, expected } = await start({ quirks: { headManifest } })
      expect(await reader.head('org/app', '20')).toMatchObject(expected)
      expect(methods(upstream.received)).toEqual(['HEAD', 'GET'])
    },
  )

  it.each<[string, UpstreamOptions['quirks']]>([
    ['a digest (ECR: distribution #3792)', { noDigest: true }],
    ['a length', { chunked: true }],
    ['a digest and a length', { noDigest: true, chunked: true }],
  ])('without %s is followed by a GET (case 27)', async (_, quirks) => {
    const { upstream, reader, expected } = await start({ quirks: quirks! })
    expect(await reader.head('org/app', '20')).toMatchObject(expected)
    expect(methods(upstream.received)).toEqual(['HEAD', 'GET'])
  })

  it('by digest needs no digest header', async () => {
    const { upstream, reader, expected } = await start({ quirks: quirksOf.ecr })
    expect(await reader.head('org/app', expected.digest)).toMatchObject(expected)
    expect(methods(upstream.received)).toEqual(['HEAD'])
  })

  it('that is answered 404 is not followed by a GET', async () => {
    const { upstream, reader } = await start()
    await expect(reader.head('org/app', 'none')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404 })
    expect(methods(upstream.received)).toEqual(['HEAD'])
  })

  it('that is answered 500 is a failure, not a GET that costs a pull', async () => {
    const { upstream, reader } = await start({ quirks: { headManifest: 500 } })
    await expect(reader.head('org/app', '20')).rejects.toMatchObject({ failure: 'server-error' })
    expect(methods(upstream.received)).toEqual(['HEAD'])
  })
})

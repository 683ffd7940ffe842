import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { blobsOf, mediaTypeOf, readManifest } from '../../src/oci/manifest.ts'
import { dockerList, dockerManifest, essence, isSchema1, ociIndex, ociManifest } from '../../src/oci/media-types.ts'
import { refusalOf } from '../helpers/refusals.ts'

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const read = (value: unknown) => readManifest(bytesOf(value))
const entry = (content: string, more: object = {}) => ({
  mediaType: 'application/x',
  digest: digestOf(Buffer.from(content)),
  size: content.length,
  ...more,
})
const digests = (list: { digest: string }[]) => list.map(({ digest }) => digest)

describe('a manifest', () => {
  it('names its config, layers, children, subject and annotations', () => {
    const content = read({
      mediaType: ociManifest,
      artifactType: 'application/y',
      config: entry('config'),
      layers: [entry('a'), entry('b')],
      subject: entry('subject'),
      annotations: { key: 'value' },
    })
    expect(content).toMatchObject({ mediaType: ociManifest, artifactType: 'application/y', manifests: [] })
    expect(content.config).toEqual(entry('config'))
    expect(content.layers).toEqual([entry('a'), entry('b')])
    expect(content.subject).toEqual(entry('subject'))
    expect(content.annotations).toEqual({ key: 'value' })
  })

  it.each([
    ['no JSON', Buffer.from('<html>')],
    ['empty', Buffer.alloc(0)],
    ['a list', Buffer.from('[]')],
    ['null', Buffer.from('null')],
    ['a number', Buffer.from('7')],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['cut short', Buffer.from('{"layers": [')],
  ])('that is %s is refused as MANIFEST_INVALID', (_, bytes) => {
    expect(refusalOf(() => readManifest(bytes))).toBe('MANIFEST_INVALID')
  })

  it('of any JSON is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect([undefined, 'MANIFEST_INVALID']).toContain(refusalOf(() => read(value)))
      }),
    )
  })

  it('of any bytes is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([undefined, 'MANIFEST_INVALID']).toContain(refusalOf(() => readManifest(bytes)))
      }),
    )
  })

  it('with keys of any kind where descriptors belong gives out only whole descriptors', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (config, layer) => {
        const { config: found, layers } = read({ config, layers: [layer, entry('a')], manifests: layer })
        for (const { digest, size, mediaType } of [...layers, ...(found ? [found] : [])]) {
          expect([typeof digest, typeof size, typeof mediaType]).toEqual(['string', 'number', 'string'])
        }
        expect(digests(layers)).toContain(digestOf(Buffer.from('a')))
      }),
    )
  })

  it.each([
    ['of a negative size (case 55)', { size: -1 }],
    ['of half a byte', { size: 1.5 }],
    ['of a size beyond exact numbers', { size: 2 ** 60 }],
    ['of a size in words', { size: '10' }],
    ['with a digest that is none', { digest: 'sha256:abc' }],
    ['without a digest', { digest: undefined }],
  ])('leaves out a layer %s', (_, wrong) => {
    expect(read({ layers: [entry('a', wrong), entry('b')] }).layers).toEqual([entry('b')])
  })

  it('keeps layers beyond 4 GiB (case 43)', () => {
    expect(read({ layers: [entry('a', { size: 40e9 })] }).layers[0]?.size).toBe(40e9)
  })

  it('holds its config and layers, but not layers that lie elsewhere (case 63)', () => {
    const foreign = entry('windows', { urls: ['https://example.test/layer'] })
    const content = read({ config: entry('config'), layers: [foreign, entry('a', { urls: [] })] })
    expect(digests(blobsOf(content))).toEqual(digests([entry('config'), entry('a')]))
  })
})

describe('the media type of a manifest that came without one', () => {
  const docker = { mediaType: 'application/vnd.docker.container.image.v1+json' }
  it.each([
    ['what it says itself', { mediaType: 'application/vnd.example+json', layers: [] }, 'application/vnd.example+json'],
    ['an OCI manifest', { config: entry('a'), layers: [] }, ociManifest],
    ['an OCI index by its children', { manifests: [entry('a', { mediaType: ociManifest })] }, ociIndex],
    ['a Docker manifest by its config', { config: entry('a', docker) }, dockerManifest],
    ['a Docker list by its children', { manifests: [entry('a', { mediaType: dockerManifest })] }, dockerList],
  ])('is %s', (_, manifest, expected) => {
    expect(mediaTypeOf(read(manifest))).toBe(expected)
  })
})

describe('a Content-Type', () => {
  it.each([
    ['application/json; charset=utf-8', 'application/json'],
    [' Application/JSON ', 'application/json'],
    [';', ''],
    [undefined, ''],
  ])('%j is %j without its parameters', (header, expected) => {
    expect(essence(header)).toBe(expected)
  })

  it.each([
    ['application/vnd.docker.distribution.manifest.v1+json', true],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', true],
    [dockerManifest, false],
    [ociManifest, false],
  ])('%s is of schema 1: %s', (type, expected) => {
    expect(isSchema1(type)).toBe(expected)
  })
})

import { describe, expect, it } from 'vitest'
import { parseDigest } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag, type RepositoryName } from '../../src/oci/reference.ts'
import type { RegistryReader } from '../../src/oci/registry.ts'
import { readAll } from '../helpers/cached.ts'
import { makeContent, type Content } from '../helpers/content.ts'

/** The content that a registry under test holds. */
export const registryContent: Content = makeContent({
  'library/app': {
    blobs: { config: '{}', layer: { size: 2_000_000, seed: 21 }, small: 'small', empty: '' },
    manifests: {
      amd64: { config: 'config', layers: ['layer', 'small'] },
      arm64: { config: 'config', layers: ['small', 'empty'] },
      // BuildKit's attestations have no platform and odd layers (case 32).
      attestation: { config: 'config', layers: [{ of: 'small', mediaType: 'application/vnd.in-toto+json' }] },
      index: {
        manifests: [
          { of: 'amd64', platform: { os: 'linux', architecture: 'amd64' } },
          { of: 'arm64', platform: { os: 'linux', architecture: 'arm64' } },
          { of: 'attestation', platform: { os: 'unknown', architecture: 'unknown' } },
        ],
      },
      signature: { config: 'config', layers: ['small'], subject: 'amd64', artifactType: 'application/x.signature' },
    },
    tags: { latest: 'index', v1: 'amd64', v2: 'arm64', 'V2.0_x-y': 'arm64' },
  },
})

const name = parseRepositoryName('library/app')
const unknown = parseDigest(`sha256:${'0'.repeat(64)}`)

/** What every Registry does that holds `registryContent`. `make` gives one that nobody has asked yet. */
export function testRegistry(what: string, make: () => Promise<RegistryReader>): void {
  const of = (symbol: string) => parseDigest(registryContent.digest(name, symbol))
  const bytes = (symbol: string) => registryContent.bytes(name, symbol)
  const absent = (code: string) => ({ status: 404, code })

  describe(`registry: ${what}`, () => {
    it.each(['latest', 'v1', 'V2.0_x-y'])('gives the manifest of the tag %s byte for byte, twice', async (tag) => {
      const registry = await make()
      for (let i = 0; i < 2; i++) {
        const manifest = await registry.getManifest(name, parseTag(tag))
        expect(Buffer.from(manifest.bytes).equals(bytes(tag))).toBe(true)
        const { mediaType } = registryContent.in(name).findManifest(tag)!
        expect(manifest).toMatchObject({ digest: of(tag), mediaType, size: bytes(tag).length })
      }
    })

    it('gives each child of an index by digest, whatever its platform and layers (cases 31, 32)', async () => {
      const registry = await make()
      await registry.getManifest(name, parseTag('latest'))
      for (const child of ['amd64', 'arm64', 'attestation']) {
        expect(Buffer.from((await registry.getManifest(name, of(child))).bytes).equals(bytes(child))).toBe(true)
      }
    })

    it('tells by HEAD what GET gives, cold and warm (case 26)', async () => {
      const registry = await make()
      const cold = await registry.headManifest(name, parseTag('v1'))
      await registry.getManifest(name, parseTag('v1'))
      for (const head of [cold, await registry.headManifest(name, parseTag('v1'))]) {
        const { digest, mediaType, size } = head
        expect({ digest, mediaType, size }).toEqual({
          digest: of('v1'),
          mediaType: registryContent.in(name).findManifest('v1')!.mediaType,
          size: bytes('v1').length,
        })
      }
    })

    it.each(['config', 'layer', 'small', 'empty'])('gives the blob %s, twice, and its size', async (symbol) => {
      const registry = await make()
      expect((await registry.headBlob(name, of(symbol))).size).toBe(bytes(symbol).length)
      for (let i = 0; i < 2; i++) {
        const blob = await registry.getBlob(name, of(symbol))
        expect(blob.size).toBe(bytes(symbol).length)
        expect((await readAll(blob)).equals(bytes(symbol))).toBe(true)
      }
    })

    it.each([
      [0, 1],
      [1_999_999, 2_000_000],
      [500_000, 1_500_000],
      [0, 2_000_000],
    ])('gives bytes %d to %d of a blob, cold and warm', async (start, end) => {
      const registry = await make()
      for (let i = 0; i < 2; i++) {
        const part = await readAll(await registry.getBlob(name, of('layer'), { start, end }))
        expect(part.equals(bytes('layer').subarray(start, end))).toBe(true)
      }
    })

    it('says which kind of thing does not exist', async () => {
      const registry = await make()
      const soon = async <T>(work: () => T | Promise<T>) => work()
      await expect(soon(() => registry.getManifest(name, parseTag('none')))).rejects.toMatchObject(
        absent('MANIFEST_UNKNOWN'),
      )
      await expect(soon(() => registry.getManifest(name, unknown))).rejects.toMatchObject(absent('MANIFEST_UNKNOWN'))
      await expect(soon(() => registry.headManifest(name, parseTag('none')))).rejects.toMatchObject(
        absent('MANIFEST_UNKNOWN'),
      )
      await expect(registry.getBlob(name, unknown)).rejects.toMatchObject(absent('BLOB_UNKNOWN'))
      await expect(registry.headBlob(name, unknown)).rejects.toMatchObject(absent('BLOB_UNKNOWN'))
      const nowhere = 'library/nowhere' as RepositoryName
      await expect(registry.listTags(nowhere, {})).rejects.toMatchObject(absent('NAME_UNKNOWN'))
    })

    it('lists tags in lexical order, by pages', async () => {
      const registry = await make()
      const all = ['V2.0_x-y', 'latest', 'v1', 'v2']
      expect(await registry.listTags(name, {})).toEqual({ tags: all, more: false })
      expect(await registry.listTags(name, { n: 2 })).toEqual({ tags: all.slice(0, 2), more: true })
      expect(await registry.listTags(name, { n: 2, last: 'latest' })).toEqual({ tags: all.slice(2), more: false })
      expect(await registry.listTags(name, { n: 2, last: 'zz' })).toEqual({ tags: [], more: false })
    })

    it('lists what refers to a manifest, and nothing for one that nothing refers to', async () => {
      const registry = await make()
      const { descriptors } = await registry.listReferrers(name, of('amd64'))
      expect(descriptors).toMatchObject([{ digest: of('signature'), artifactType: 'application/x.signature' }])
      expect(await registry.listReferrers(name, unknown)).toEqual({ descriptors: [] })
    })
  })
}

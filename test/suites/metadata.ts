import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import type { ManifestRecord, Metadata, RepositoryKey } from '../../src/metadata/metadata.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

const repository = (registry: string, name: string): RepositoryKey => ({ registry, name: parseRepositoryName(name) })
const node = repository('docker.io', 'library/node')
const elsewhere = repository('ghcr.io', 'library/node')
const tag = parseTag
const blobDigest = (text: string) => digestOf(Buffer.from(text))

function makeManifest(text: string): ManifestRecord {
  const bytes = new Uint8Array(Buffer.from(text))
  return { digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }
}

/** What every Metadata does. */
export function testMetadata(name: string, make: MakeMetadata): void {
  describe(`metadata: ${name}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    describe('signatures', () => {
      const [image, layer] = [makeManifest('image'), blobDigest('layer')]

      it('are known by repository, manifest and signers, of whom the last ones count', async () => {
        await metadata.signatures.putSigned(node, image.digest, 'ours')
        await again()
        expect(await metadata.signatures.isSigned(node, image.digest, 'ours')).toBe(true)
        expect(await metadata.signatures.isSigned(node, image.digest, 'theirs')).toBe(false)
        expect(await metadata.signatures.isSigned(elsewhere, image.digest, 'ours')).toBe(false)
        await metadata.signatures.putSigned(node, image.digest, 'theirs')
        expect(await metadata.signatures.isSigned(node, image.digest, 'ours')).toBe(false)
      })

      it('stand for what a manifest names, told for each repository', async () => {
        await metadata.signatures.putContents(node, image.digest, [layer])
        await metadata.signatures.putContents(node, image.digest, [layer, blobDigest('another')])
        await again()
        expect(await metadata.signatures.manifestsNaming(node, layer)).toEqual([image.digest])
        expect(await metadata.signatures.manifestsNaming(elsewhere, layer)).toEqual([])
      })

      it('go with the manifest when it is removed', async () => {
        await metadata.putManifest(node, image, [])
        await metadata.signatures.putSigned(node, image.digest, 'ours')
        await metadata.signatures.putContents(node, image.digest, [layer])
        await metadata.removeManifest(image.digest)
        expect(await metadata.signatures.isSigned(node, image.digest, 'ours')).toBe(false)
        expect(await metadata.signatures.manifestsNaming(node, layer)).toEqual([])
      })
    })

    describe('what upstreams said over time', () => {
      const [one, two] = [blobDigest('one'), blobDigest('two')]

      it('is each meaning of a tag once, with the time it was first seen, newest first', async () => {
        expect(await metadata.noteTag(node, tag('20'), one, 1_000)).toBe(1_000)
        expect(await metadata.noteTag(node, tag('20'), one, 2_000)).toBe(1_000)
        expect(await metadata.noteTag(node, tag('20'), two, 3_000)).toBe(3_000)
        expect(await metadata.noteTag(node, tag('20'), one, 4_000)).toBe(4_000)
        await again()
        expect(await metadata.tagHistory(node, tag('20'))).toEqual([
          { digest: one, seenAt: 4_000 },
          { digest: two, seenAt: 3_000 },
          { digest: one, seenAt: 1_000 },
        ])
        expect(await metadata.tagHistory(elsewhere, tag('20'))).toEqual([])
      })

      it('stays in order when a clock is set back', async () => {
        await metadata.noteTag(node, tag('20'), one, 5_000)
        expect(await metadata.noteTag(node, tag('20'), two, 1_000)).toBe(5_001)
      })

      it('tells the tags of a digest, those that mean something else now as well', async () => {
        await metadata.noteTag(node, tag('20'), one, 1_000)
        await metadata.noteTag(node, tag('latest'), one, 1_000)
        await metadata.noteTag(node, tag('latest'), two, 2_000)
        expect(await metadata.tagsOf(node, one)).toEqual(['20', 'latest'])
        expect(await metadata.tagsOf(elsewhere, one)).toEqual([])
      })

      it('begins with the manifest that came with a tag', async () => {
        const manifest = makeManifest('{}')
        await metadata.putManifest(node, manifest, [], { tag: tag('20'), checkedAt: 7 })
        expect(await metadata.tagHistory(node, tag('20'))).toEqual([{ digest: manifest.digest, seenAt: 7 }])
      })

      it('is what is held back, until it is released', async () => {
        const held = [one, two].map((digest) => ({ digest, tag: tag('20'), until: 9 }))
        await metadata.withhold(node, held)
        await metadata.withhold(node, [{ ...held[0]!, until: 10 }])
        await metadata.release(node, [two])
        await again()
        expect(await metadata.listWithheld(node)).toEqual([{ ...held[0]!, until: 10 }])
        expect(await metadata.listWithheld(elsewhere)).toEqual([])
      })

      it('is who may see a repository', async () => {
        expect(await metadata.findVisibility(node)).toBeUndefined()
        for (const isPublic of [true, false]) {
          await metadata.putVisibility(node, { public: isPublic, checkedAt: 3 })
          await again()
          expect(await metadata.findVisibility(node)).toEqual({ public: isPublic, checkedAt: 3 })
        }
      })

      it('is lists, by kind and subject', async () => {
        const key = { kind: 'referrers', subject: one } as const
        expect(await metadata.findList(node, key)).toBeUndefined()
        await metadata.putList(node, key, '[1]', 1)
        await metadata.putList(node, key, '[2]', 2)
        await again()
        expect(await metadata.findList(node, key)).toEqual({ json: '[2]', checkedAt: 2 })
        expect(await metadata.findList(node, { kind: 'tags', subject: one })).toBeUndefined()
        expect(await metadata.findList(elsewhere, key)).toBeUndefined()
      })
    })

    describe('tags', () => {
      const record = { digest: blobDigest('m'), checkedAt: 1_700_000_000_123 }

      it('are undefined, none and nothing to do where nothing is known', async () => {
        expect(await metadata.findTag(node, tag('20'))).toBeUndefined()
        expect(await metadata.listTags(node)).toEqual([])
        await metadata.deleteTag(node, tag('20'))
      })

      it('are kept with the time of their check, also for a later process', async () => {
        await metadata.putTag(node, tag('20'), record)
        expect(await metadata.findTag(node, tag('20'))).toEqual(record)
        await again()
        expect(await metadata.findTag(node, tag('20'))).toEqual(record)
      })

      it('move', async () => {
        await metadata.putTag(node, tag('20'), record)
        const moved = { digest: blobDigest('other'), checkedAt: record.checkedAt + 1 }
        await metadata.putTag(node, tag('20'), moved)
        expect(await metadata.findTag(node, tag('20'))).toEqual(moved)
      })

      it('belong to one repository of one registry', async () => {
        await metadata.putTag(node, tag('20'), record)
        expect(await metadata.findTag(elsewhere, tag('20'))).toBeUndefined()
        expect(await metadata.findTag(repository('docker.io', 'library/nod'), tag('20'))).toBeUndefined()
        await metadata.deleteTag(elsewhere, tag('20'))
        expect(await metadata.findTag(node, tag('20'))).toEqual(record)
      })

      it('are deleted', async () => {
        await metadata.putTag(node, tag('20'), record)
        await metadata.deleteTag(node, tag('20'))
        expect(await metadata.findTag(node, tag('20'))).toBeUndefined()
      })

      it('are listed in lexical order', async () => {
        for (const name of ['9', '10', 'a', 'B', '_x']) await metadata.putTag(node, tag(name), record)
        expect(await metadata.listTags(node)).toEqual(['10', '9', 'B', '_x', 'a'])
        expect(await metadata.listTags(elsewhere)).toEqual([])
      })
    })

    describe('manifests', () => {
      const manifest = makeManifest('{"a":1}')

      it('come back byte for byte, also in a later process', async () => {
        await metadata.putManifest(node, manifest, [])
        expect(await metadata.findManifest(node, manifest.digest)).toEqual(manifest)
        await again()
        expect(await metadata.findManifest(node, manifest.digest)).toEqual(manifest)
      })

      it('belong to the repositories that hold them', async () => {
        await metadata.putManifest(node, manifest, [])
        expect(await metadata.findManifest(elsewhere, manifest.digest)).toBeUndefined()
        await metadata.putManifest(elsewhere, manifest, [])
        expect(await metadata.findManifest(elsewhere, manifest.digest)).toEqual(manifest)
      })

      it('become visible together with their tag and the blobs they name', async () => {
        const refersTo = [{ digest: blobDigest('layer'), size: 2 ** 33 }]
        await metadata.putManifest(node, manifest, refersTo, { tag: tag('20'), checkedAt: 5 })
        expect(await metadata.findTag(node, tag('20'))).toEqual({ digest: manifest.digest, checkedAt: 5 })
        expect(await metadata.findBlobSize(node, blobDigest('layer'))).toBe(2 ** 33)
        expect(await metadata.findBlobSize(elsewhere, blobDigest('layer'))).toBeUndefined()
      })

      it('may be put again', async () => {
        await metadata.putManifest(node, manifest, [], { tag: tag('20'), checkedAt: 5 })
        await metadata.putManifest(node, manifest, [], { tag: tag('20'), checkedAt: 6 })
        expect((await metadata.findTag(node, tag('20')))?.checkedAt).toBe(6)
      })

      it('that are removed are gone from every repository, with the tags that mean them', async () => {
        const other = makeManifest('{"b":1}')
        for (const place of [node, elsewhere]) {
          await metadata.putManifest(place, manifest, [], { tag: tag('20'), checkedAt: 5 })
          await metadata.putManifest(place, other, [], { tag: tag('21'), checkedAt: 5 })
        }
        expect(await metadata.manifestBytes()).toBe(manifest.bytes.length + other.bytes.length)
        await metadata.removeManifest(manifest.digest)
        for (const place of [node, elsewhere]) {
          expect(await metadata.findManifest(place, manifest.digest)).toBeUndefined()
          expect(await metadata.listTags(place)).toEqual(['21'])
        }
        expect(await metadata.manifestBytes()).toBe(other.bytes.length)
        const left = await metadata.listAllTags()
        expect(left).toHaveLength(2)
        expect(left).toContainEqual({ ...elsewhere, tag: '21', digest: other.digest })
      })

      it('may be evicted, least recently used first', async () => {
        const other = makeManifest('{"b":1}')
        for (const one of [manifest, other]) await metadata.putManifest(node, one, [])
        const later = Date.now() + 3_600_000
        metadata.used(manifest.digest, later)
        const listed = await metadata.listEvictableManifests(2)
        expect(listed.map(({ digest }) => digest)).toEqual([other.digest, manifest.digest])
        expect(listed[1]).toMatchObject({ size: manifest.bytes.length, usedAt: later, upstreams: ['docker.io'] })
      })

      it('of 4 MiB come back', async () => {
        const large = makeManifest(JSON.stringify({ a: 'x'.repeat(4 * 1024 * 1024 - 8) }))
        await metadata.putManifest(node, large, [])
        const found = await metadata.findManifest(node, large.digest)
        expect(Buffer.from(found!.bytes).equals(large.bytes)).toBe(true)
      })
    })

    describe('blobs', () => {
      it('that a repository holds have a size there alone', async () => {
        await metadata.putBlobSize(node, blobDigest('a'), 40_000_000_000)
        expect(await metadata.findBlobSize(node, blobDigest('a'))).toBe(40_000_000_000)
        expect(await metadata.findBlobSize(elsewhere, blobDigest('a'))).toBeUndefined()
      })

      it('that the store holds are listed, least recently used first, and add up', async () => {
        await metadata.blobStored(blobDigest('a'), 10, 300)
        await metadata.blobStored(blobDigest('b'), 20, 100)
        await metadata.blobStored(blobDigest('c'), 2 ** 40, 200)
        const listed = await metadata.listStoredBlobs(2)
        expect(listed).toEqual([
          { digest: blobDigest('b'), size: 20, usedAt: 100 },
          { digest: blobDigest('c'), size: 2 ** 40, usedAt: 200 },
        ])
        expect(await metadata.storedBytes()).toBe(2 ** 40 + 30)
      })

      it('that were removed are gone, and may be stored again with another size', async () => {
        await metadata.blobStored(blobDigest('a'), 10, 300)
        await metadata.blobRemoved(blobDigest('a'))
        expect(await metadata.findStoredBlob(blobDigest('a'))).toBeUndefined()
        expect(await metadata.storedBytes()).toBe(0)
        await metadata.blobStored(blobDigest('a'), 10, 300)
        await metadata.blobStored(blobDigest('a'), 11, 400)
        expect(await metadata.findStoredBlob(blobDigest('a'))).toEqual({
          digest: blobDigest('a'),
          size: 11,
          usedAt: 400,
        })
      })

      it('are checked in turn, those not checked for longest first', async () => {
        await metadata.blobStored(blobDigest('a'), 1, 100)
        await metadata.blobStored(blobDigest('b'), 1, 200)
        expect(await metadata.nextToCheck(100)).toBeUndefined()
        expect(await metadata.nextToCheck(1000)).toBe(blobDigest('a'))
        await metadata.blobChecked(blobDigest('a'), 300)
        expect(await metadata.nextToCheck(1000)).toBe(blobDigest('b'))
        expect(await metadata.nextToCheck(200)).toBeUndefined()
      })

      it('may be evicted with whose they are, least recently used first', async () => {
        await metadata.blobStored(blobDigest('a'), 10, 200)
        await metadata.blobStored(blobDigest('b'), 20, 100)
        await metadata.putBlobSize(node, blobDigest('a'), 10)
        await metadata.putBlobSize(elsewhere, blobDigest('a'), 10)
        const [first, second] = await metadata.listEvictableBlobs(2)
        expect(first).toEqual({ digest: blobDigest('b'), size: 20, usedAt: 100, upstreams: [] })
        expect({ ...second, upstreams: [...second!.upstreams].sort() }).toEqual({
          digest: blobDigest('a'),
          size: 10,
          usedAt: 200,
          upstreams: ['docker.io', 'ghcr.io'],
        })
        expect(await metadata.evictableBytes()).toBe(30)
      })

      it('are known by their last use, whatever order uses are told in, also in a later process', async () => {
        for (const name of ['a', 'b']) await metadata.blobStored(blobDigest(name), 1, 100)
        metadata.used(blobDigest('a'), 300)
        metadata.used(blobDigest('a'), 200)
        metadata.used(blobDigest('unknown'), 300)
        expect((await metadata.listStoredBlobs(2)).map(({ usedAt }) => usedAt)).toEqual([100, 300])
        metadata.used(blobDigest('b'), 400)
        await again()
        expect((await metadata.listStoredBlobs(2)).map(({ usedAt }) => usedAt)).toEqual([300, 400])
      })
    })
  })
}

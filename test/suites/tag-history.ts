import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HostedManifest, Metadata } from '../../src/metadata/metadata.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'

const app = parseRepositoryName('team/app')
const tag = parseTag
const [one, two] = ['one', 'two'].map(makeManifest) as [HostedManifest, HostedManifest]

/** What every HostedMetadata keeps of what tags meant. */
export function testTagHistory(implementation: string, make: () => Promise<{ open: () => Metadata }>): void {
  describe(`the history of hosted tags: ${implementation}`, () => {
    let metadata: Metadata
    let again: () => Promise<void>

    beforeEach(async () => {
      const made = await make()
      metadata = made.open()
      again = async () => {
        await metadata.close()
        metadata = made.open()
      }
    })
    afterEach(() => metadata.close())

    const push = (manifest: HostedManifest, name: string, at: number, by?: string) =>
      metadata.hosted.putManifest(
        app,
        manifest,
        { tags: [tag(name)], immutable: () => false, maxTags: Infinity, by },
        at,
      )
    const history = (name = '1') => metadata.hosted.tagHistory(app, tag(name))
    const collect = (changes = {}) =>
      metadata.hosted.collect(app, {
        at: 9,
        tags: [],
        untagAs: 0,
        manifestsBefore: 100,
        blobsBefore: 100,
        dryRun: false,
        ...changes,
      })

    it('is each meaning with when and by whom, newest first; the same meaning again is none', async () => {
      await push(one, '1', 10, 'ada')
      await push(one, '1', 20, 'bob')
      await push(two, '1', 30)
      await push(one, '1', 40, 'bob')
      await again()
      expect(await history()).toEqual([
        { digest: one.digest, seenAt: 40, by: 'bob' },
        { digest: two.digest, seenAt: 30 },
        { digest: one.digest, seenAt: 10, by: 'ada' },
      ])
      expect(await history('2')).toEqual([])
    })

    it('tells of deletions, by whichever way a tag went, and goes on when it is pushed again', async () => {
      for (const name of ['tag', 'manifest', 'retired']) await push(one, name, 10, 'ada')
      await metadata.hosted.deleteTag(app, tag('tag'), 20, 'bob')
      await collect({ tags: [{ tag: tag('retired'), digest: one.digest, pushedAt: 10 }], at: 30 })
      await metadata.hosted.deleteManifest(app, one.digest, 40, 'bob')
      const first = { digest: one.digest, seenAt: 10, by: 'ada' }
      expect(await history('tag')).toEqual([{ digest: undefined, seenAt: 20, by: 'bob' }, first])
      expect(await history('retired')).toEqual([{ digest: undefined, seenAt: 30 }, first])
      expect(await history('manifest')).toEqual([{ digest: undefined, seenAt: 40, by: 'bob' }, first])
      await push(one, 'tag', 50)
      expect((await history('tag')).map(({ digest }) => digest)).toEqual([one.digest, undefined, one.digest])
    })

    it('stays in order when a clock is set back', async () => {
      await push(one, '1', 50)
      await push(two, '1', 10)
      expect((await history()).map(({ digest, seenAt }) => [digest, seenAt])).toEqual([
        [two.digest, 51],
        [one.digest, 50],
      ])
    })

    it('outlives the manifests and the repository, for as long as is said', async () => {
      await push(one, '1', 10)
      await metadata.hosted.deleteManifest(app, one.digest, 20)
      await collect()
      await metadata.hosted.forgetIfEmpty(app)
      expect(await metadata.hosted.hasRepository(app)).toBe(false)
      expect(await metadata.hosted.expireTagHistory(20)).toBe(0)
      expect(await metadata.hosted.listDeletedTags(app, 10)).toEqual([{ tag: '1', deletedAt: 20 }])
      expect(await metadata.hosted.expireTagHistory(21)).toBe(2)
      expect(await history()).toEqual([])
    })

    it('of a tag that is there never expires, deleted in between or not', async () => {
      await push(one, '1', 10)
      await metadata.hosted.deleteTag(app, tag('1'), 20)
      await push(one, '1', 30)
      expect(await metadata.hosted.listDeletedTags(app, 10)).toEqual([])
      expect(await metadata.hosted.expireTagHistory(1_000)).toBe(0)
      expect(await history()).toHaveLength(3)
    })

    it('keeps the last five hundred changes of a tag', async () => {
      for (let i = 0; i < 510; i++) await push(i % 2 ? two : one, '1', 10 + i)
      const all = await history()
      expect([all.length, all.at(-1)?.seenAt, all[0]?.seenAt]).toEqual([500, 20, 519])
    })

    it('goes with its namespace', async () => {
      await metadata.hosted.addNamespace('team', 1)
      await push(one, '1', 10)
      await metadata.hosted.deleteManifest(app, one.digest, 20)
      await collect()
      expect(await metadata.hosted.removeNamespace('team')).toEqual({ repositories: 0 })
      expect(await history()).toEqual([])
    })

    it('tells what tags that are there meant before, and a collection keeps of it what it is told', async () => {
      await push(one, '1', 10)
      await push(two, '1', 20)
      await push(one, 'gone', 30)
      await metadata.hosted.deleteTag(app, tag('gone'), 40)
      expect(await metadata.hosted.listEarlier(app)).toEqual([{ tag: '1', digest: one.digest }])
      expect((await collect({ keep: [one.digest] })).manifests).toEqual([])
      expect((await collect()).manifests.map(({ digest }) => digest)).toEqual([one.digest])
      expect(await metadata.browsing.heldAmong(app, [one.digest, two.digest])).toEqual(new Set([two.digest]))
    })
  })
}

function makeManifest(text: string): HostedManifest {
  const bytes = new Uint8Array(Buffer.from(`{"manifest":"${text}"}`))
  const nothing = { artifactType: undefined, annotations: undefined, subject: undefined }
  const parts = { blobs: [], children: [], optional: [] }
  return {
    ...nothing,
    ...parts,
    digest: digestOf(bytes),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes,
  }
}

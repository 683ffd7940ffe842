import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import type { Metadata, RepositorySearch, TagSearch } from '../../src/metadata/metadata.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

const name = parseRepositoryName
const everyRepository: RepositorySearch = { words: [], order: 'name', limit: 100, offset: 0 }
const everyTag: TagSearch = { text: '', order: 'name', descending: false, limit: 100, offset: 0 }

function makeManifest(text: string) {
  const bytes = new Uint8Array(Buffer.from(text))
  return { digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }
}

const [one, two] = [makeManifest('{"a":1}'), makeManifest('{"a":2}')]
const blob = digestOf(Buffer.from('blob'))

/** What every Metadata does for those who look around. */
export function testBrowsing(implementation: string, make: MakeMetadata): void {
  describe(`browsing: ${implementation}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    const node = { registry: 'docker.io', name: name('library/node') }
    const whole = name('docker.io/library/node')
    const app = name('team/app')

    async function fill() {
      await metadata.putManifest(node, one, [{ digest: blob, size: 7 }], { tag: parseTag('20'), checkedAt: 1_000 })
      await metadata.putManifest(node, two, [], { tag: parseTag('V21'), checkedAt: 3_000 })
      const nothing = { artifactType: undefined, annotations: undefined, subject: undefined }
      const manifest = { ...one, ...nothing, blobs: [], children: [], optional: [] }
      const tags = { tags: [parseTag('1.0')], immutable: () => false, maxTags: 10 }
      await metadata.hosted.putManifest(app, manifest, tags, 2_000)
    }
    const names = async (search: Partial<RepositorySearch>) =>
      (await metadata.browsing.listRepositories({ ...everyRepository, ...search })).map((found) => found.name)
    const tags = async (search: Partial<TagSearch>) =>
      (await metadata.browsing.listTags(whole, { ...everyTag, ...search })).tags.map(({ tag }) => tag)

    it('lists the blobs of a cached repository that the store holds, and none of a hosted one', async () => {
      await fill()
      expect(await metadata.browsing.storedOf(whole)).toEqual([])
      await metadata.blobStored(blob, 7, 4_000)
      expect(await metadata.browsing.storedOf(whole)).toEqual([blob])
      expect(await metadata.browsing.storedOf(app)).toEqual([])
      expect(await metadata.browsing.storedOf(name('docker.io/library/other'))).toEqual([])
    })

    it('lists hosted and cached repositories under their whole names', async () => {
      await fill()
      const unknown = { pulls: 0, pulledAt: undefined, description: undefined }
      expect(await metadata.browsing.listRepositories(everyRepository)).toEqual([
        { name: whole, registry: 'docker.io', tags: 2, ...unknown, updatedAt: 3_000 },
        { name: app, registry: undefined, tags: 1, ...unknown, updatedAt: 2_000 },
      ])
      expect(await names({ limit: 1, offset: 1 })).toEqual([app])
      expect(await names({ order: 'updated' })).toEqual([whole, app])
    })

    it('finds repositories by words that are anywhere in the name', async () => {
      await fill()
      expect(await names({ words: ['node', 'docker'] })).toEqual([whole])
      expect(await names({ words: ['node', 'app'] })).toEqual([])
      expect(await names({ words: ['%'] })).toEqual([])
    })

    it('finds them by words of their descriptions too, those that the name fits first', async () => {
      await fill()
      const { descriptions } = metadata
      await descriptions.read(whole, { line: 'Runs JavaScript', whole: true })
      await descriptions.read(app, { line: 'Runs on a node', whole: true })
      expect(await names({ words: ['node'], order: 'updated' })).toEqual([whole, app])
      expect(await names({ words: ['app', 'runs'] })).toEqual([app])
      await descriptions.put(app, { short: 'Shows things', readme: '', by: undefined, at: 1 }, 0)
      expect(await names({ words: ['runs'] })).toEqual([whole])
      expect(await metadata.browsing.findRepository(app)).toMatchObject({ description: 'Shows things' })
      await descriptions.put(app, { short: '', readme: '# App', by: undefined, at: 1 }, 1)
      expect(await metadata.browsing.findRepository(app)).toMatchObject({ description: 'Runs on a node' })
    })

    it('knows the tag that stands for a repository: latest, else the last that people made', async () => {
      await fill()
      const main = async (of = whole) => (await metadata.browsing.findMainTag(of))?.tag
      expect([await main(), await main(app), await main(name('no/such'))]).toEqual(['V21', '1.0', undefined])
      await metadata.putManifest(node, one, [], { tag: parseTag('sha256-0.sig'), checkedAt: 4_000 })
      expect(await main()).toBe('V21')
      await metadata.putManifest(node, one, [], { tag: parseTag('latest'), checkedAt: 1 })
      expect(await main()).toBe('latest')
    })

    it('tells nothing of a repository that has no manifest', async () => {
      await metadata.putBlobSize(node, blob, 7)
      expect(await names({})).toEqual([])
      expect(await metadata.browsing.findRepository(whole)).toBeUndefined()
    })

    it('counts pulls by tag and by repository, also for a later process', async () => {
      await fill()
      for (const at of [5_000, 6_000]) metadata.browsing.pulled(whole, parseTag('20'), at)
      metadata.browsing.pulled(whole, parseTag('V21'), 4_000)
      await again()
      metadata.browsing.pulled(whole, parseTag('20'), 7_000)
      await again()
      expect(await metadata.browsing.findRepository(whole)).toMatchObject({ pulls: 4, pulledAt: 7_000 })
      expect(await metadata.browsing.findTag(whole, parseTag('20'))).toMatchObject({ pulls: 3, pulledAt: 7_000 })
      expect(await names({ order: 'pulls' })).toEqual([whole, app])
      expect(await tags({ order: 'pulls', descending: true })).toEqual(['20', 'V21'])
    })

    it('lists tags by page, order and text, and how many there are', async () => {
      await fill()
      expect(await tags({})).toEqual(['20', 'V21'])
      expect(await tags({ order: 'updated', descending: true })).toEqual(['V21', '20'])
      expect(await tags({ text: 'v2' })).toEqual(['V21'])
      expect(await metadata.browsing.listTags(whole, { ...everyTag, limit: 1, offset: 1 })).toMatchObject({ total: 2 })
      expect(await metadata.browsing.listTags(app, everyTag)).toMatchObject({
        tags: [{ tag: '1.0', digest: one.digest, updatedAt: 2_000, checkedAt: undefined }],
        total: 1,
      })
      expect(await metadata.browsing.listTags(name('no/such'), everyTag)).toEqual({ tags: [], total: 0 })
    })

    it('tells what the upstream says instead of what is served', async () => {
      await fill()
      await metadata.noteTag(node, parseTag('20'), two.digest, 9_000)
      expect(await metadata.browsing.findTag(whole, parseTag('20'))).toMatchObject({
        digest: one.digest,
        movedTo: two.digest,
      })
    })

    it('lists tags that are pinned by what they are pinned to, also when nothing else is known of them', async () => {
      await fill()
      for (const [tag, digest] of [
        ['20', two.digest],
        ['19', one.digest],
      ] as const) {
        await metadata.pins.putTag({ ...node, tag: parseTag(tag), digest, pinnedAt: 1 })
      }
      expect(await tags({})).toEqual(['19', '20', 'V21'])
      expect(await metadata.browsing.findTag(whole, parseTag('20'))).toMatchObject({
        digest: two.digest,
        isPinned: true,
        movedTo: one.digest,
      })
      expect(await metadata.browsing.findTag(whole, parseTag('V21'))).toMatchObject({ isPinned: false })
      expect((await metadata.browsing.listTags(whole, everyTag)).total).toBe(3)
    })

    it('tells which of some manifests a repository has', async () => {
      await fill()
      const all = [one.digest, two.digest, blob]
      expect(await metadata.browsing.heldAmong(whole, all)).toEqual(new Set([one.digest, two.digest]))
      expect(await metadata.browsing.heldAmong(app, all)).toEqual(new Set([one.digest]))
      expect(await metadata.browsing.heldAmong(name('no/such'), all)).toEqual(new Set())
    })

    it('tells which blobs are stored, and how much of each repository and upstream', async () => {
      await fill()
      expect(await metadata.browsing.storedBytesOf(whole)).toBe(0)
      await metadata.blobStored(blob, 7, 100)
      expect(await metadata.browsing.storedAmong([blob, one.digest])).toEqual(new Set([blob]))
      expect(await metadata.browsing.storedBytesOf(whole)).toBe(7)
      expect(await metadata.browsing.keptByUpstream()).toEqual([{ registry: 'docker.io', bytes: 7, blobs: 1 }])
    })

    it('finds manifests in the repository that holds them', async () => {
      await fill()
      expect(await metadata.browsing.findManifest(whole, two.digest)).toEqual(two.bytes)
      expect(await metadata.browsing.findManifest(app, one.digest)).toEqual(one.bytes)
      expect(await metadata.browsing.findManifest(app, two.digest)).toBeUndefined()
    })
  })
}

/** What every Metadata does with descriptions of repositories. */
export function testDescriptions(implementation: string, make: () => Promise<{ open: () => Metadata }>): void {
  describe(`descriptions: ${implementation}`, () => {
    const app = name('team/app')
    const node = { registry: 'docker.io', name: name('library/node') }
    const whole = name('docker.io/library/node')
    const written = { short: 'One', readme: '# One', by: 'ada', at: 7 }
    const nothing = { artifactType: undefined, annotations: undefined, subject: undefined }
    const manifest = { ...nothing, blobs: [], children: [], optional: [] }
    const tags = { tags: [parseTag('1')], immutable: () => false, maxTags: 10 }

    it('are written over what was seen, and over nothing else', async () => {
      const { open } = await make()
      const metadata = open()
      const { descriptions } = metadata
      expect(await descriptions.find(app)).toBeUndefined()
      expect(await descriptions.put(app, written, 1)).toBe(false)
      expect(await descriptions.put(app, written, 0)).toBe(true)
      expect(await descriptions.put(app, written, 0)).toBe(false)
      const { revision } = (await descriptions.find(app))!
      const two = { short: '', readme: '# Two', by: undefined, at: 8 }
      expect(await descriptions.put(app, two, revision)).toBe(true)
      await metadata.close()
      const again = open()
      expect(await again.descriptions.find(app)).toEqual({ ...two, revision: revision + 1 })
      await again.close()
    })

    it('are to be read anew of a repository whose tags have changed, and of no other', async () => {
      const metadata = (await make()).open()
      const { descriptions, hosted } = metadata
      const unread = async () => {
        const found = await descriptions.listUnread(10)
        for (const each of found) await descriptions.read(each, { line: '', whole: true })
        return found.sort()
      }
      await hosted.putManifest(app, { ...one, ...manifest }, tags, 1)
      await metadata.putManifest(node, one, [], { tag: parseTag('20'), checkedAt: 1 })
      expect(await unread()).toEqual([whole, app])
      await hosted.putManifest(app, { ...one, ...manifest }, tags, 2)
      await metadata.putTag(node, parseTag('20'), { digest: one.digest, checkedAt: 2 })
      expect(await unread()).toEqual([])
      await hosted.putManifest(app, { ...two, ...manifest }, tags, 3)
      expect(await unread()).toEqual([app])
      await metadata.putManifest(node, two, [], { tag: parseTag('20'), checkedAt: 3 })
      expect(await unread()).toEqual([whole])
      await hosted.deleteTag(app, parseTag('1'), 4)
      await metadata.deleteTag(node, parseTag('20'))
      expect(await unread()).toEqual([whole, app])
      await metadata.close()
    })

    it('are to be read anew after a pull where some of the image was not here', async () => {
      const { open } = await make()
      let metadata = open()
      await metadata.putManifest(node, one, [], { tag: parseTag('20'), checkedAt: 1 })
      const afterPull = async (isWhole: boolean) => {
        await metadata.descriptions.read(whole, { line: '', whole: isWhole })
        metadata.browsing.pulled(whole, parseTag('20'), 5)
        await metadata.close()
        metadata = open()
        return metadata.descriptions.listUnread(10)
      }
      expect([await afterPull(false), await afterPull(false), await afterPull(true)]).toEqual([[whole], [whole], []])
      await metadata.close()
    })
  })
}

const minute = 60_000
const day = 86_400_000

/** What every Metadata does with figures of the past and with pins. */
export function testFigures(implementation: string, make: MakeMetadata): void {
  describe(`figures and pins: ${implementation}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    it('are sums of five minutes, which a later process adds to', async () => {
      await metadata.figures.add([{ figure: 'hits', subject: 'docker.io', value: 3 }], 100 * day)
      await again()
      await metadata.figures.add([{ figure: 'hits', subject: 'docker.io', value: 4 }], 100 * day + 4 * minute)
      await metadata.figures.add([{ figure: 'hits', subject: 'ghcr.io', value: 1 }], 100 * day + 6 * minute)
      expect(await metadata.figures.spans(100 * day, 5 * minute)).toEqual([
        { beganAt: 100 * day, values: { hits: 7 } },
        { beganAt: 100 * day + 5 * minute, values: { hits: 1 } },
      ])
      expect(await metadata.figures.spans(100 * day, 60 * minute)).toEqual([
        { beganAt: 100 * day, values: { hits: 8 } },
      ])
      expect(await metadata.figures.totals(100 * day)).toEqual([
        { figure: 'hits', subject: 'docker.io', value: 7 },
        { figure: 'hits', subject: 'ghcr.io', value: 1 },
      ])
      expect(await metadata.figures.totals(101 * day)).toEqual([])
    })

    it('older than a month go', async () => {
      await metadata.figures.add([{ figure: 'hits', subject: '', value: 3 }], 100 * day)
      await metadata.figures.add([{ figure: 'hits', subject: '', value: 4 }], 140 * day)
      expect(await metadata.figures.totals(0)).toEqual([{ figure: 'hits', subject: '', value: 4 }])
    })

    it('that are pins are kept once each, until they are taken back', async () => {
      for (const pattern of ['b/x:1', 'a/x:1', 'a/x:1']) await metadata.pins.add(pattern, 1)
      await again()
      expect(await metadata.pins.list()).toEqual(['a/x:1', 'b/x:1'])
      expect(await metadata.pins.remove('a/x:1')).toBe(true)
      expect(await metadata.pins.remove('a/x:1')).toBe(false)
      expect(await metadata.pins.list()).toEqual(['b/x:1'])
    })

    it('that are pins of tags to a digest are one for each tag, until they are taken back', async () => {
      const { open } = await make()
      const first = open()
      const repository = { registry: 'docker.io', name: name('library/node') }
      const pin = { ...repository, tag: parseTag('20'), digest: one.digest, pinnedAt: 5 }
      await first.pins.putTag({ ...pin, by: 'ada' })
      await first.pins.putTag({ ...pin, digest: two.digest })
      await first.close()
      const metadata = open()
      expect(await metadata.pins.listTags()).toEqual([{ ...pin, digest: two.digest }])
      expect(await metadata.pins.removeTag({ ...repository, registry: 'ghcr.io' }, pin.tag)).toBe(false)
      expect(await metadata.pins.removeTag(repository, pin.tag)).toBe(true)
      expect(await metadata.pins.removeTag(repository, pin.tag)).toBe(false)
      expect(await metadata.pins.listTags()).toEqual([])
      await metadata.close()
    })
  })
}

import { describe, expect, it } from 'vitest'
import type { Metadata, TagChange } from '../../src/metadata/metadata.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

/** What every WebhookMetadata does. */
export function testWebhookMetadata(name: string, make: MakeMetadata): void {
  describe(`deliveries of webhooks: ${name}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    const put = (id: string, hook = 'ci') =>
      metadata.webhooks.putDelivery({ id, hook, body: `{"id":"${id}"}`, createdAt: 100 })
    const due = async (at: number, hook = 'ci') =>
      (await metadata.webhooks.dueDeliveries(hook, at, 10)).map(({ id }) => id)

    it('are due at once, oldest first, each for its own hook, also after a restart', async () => {
      for (const id of ['b', 'a']) await put(id)
      await put('c', 'other')
      await again()
      expect(await due(100)).toEqual(['b', 'a'])
      expect(await due(100, 'other')).toEqual(['c'])
      expect(await metadata.webhooks.dueDeliveries('ci', 100, 1)).toEqual([
        { id: 'b', hook: 'ci', body: '{"id":"b"}', createdAt: 100, attempts: 0 },
      ])
    })

    const attempt = (event: string, problem?: string) => {
      return { event, type: 'berth.x', at: 200, attempts: 1, status: problem ? 500 : 204, problem }
    }

    it('wait for their time after an attempt that failed, and tell why it did', async () => {
      await put('a')
      await metadata.webhooks.noteAttempt('ci', attempt('a', 'it answered 500'), 500)
      await again()
      expect([await due(499), await due(500)]).toEqual([[], ['a']])
      const [waiting] = await metadata.webhooks.listDeliveries('ci', 10)
      expect(waiting).toMatchObject({ id: 'a', attempts: 1, dueAt: 500, problem: 'it answered 500' })
      expect(await metadata.webhooks.nextDelivery('ci')).toBe(500)
      expect(await metadata.webhooks.lastAttempt('ci')).toEqual(attempt('a', 'it answered 500'))
    })

    it('are gone after an attempt that is to be the last, which stays known', async () => {
      await put('a')
      await metadata.webhooks.noteAttempt('ci', attempt('a'), undefined)
      expect([await due(1_000), await metadata.webhooks.nextDelivery('ci')]).toEqual([[], undefined])
      expect(await metadata.webhooks.lastAttempt('ci')).toEqual(attempt('a'))
      expect(await metadata.webhooks.lastAttempt('other')).toBeUndefined()
    })

    it('are due at once where somebody hurries them: one, or all of a hook', async () => {
      for (const id of ['a', 'b']) {
        await put(id)
        await metadata.webhooks.noteAttempt('ci', attempt(id, 'x'), 500)
      }
      expect(await metadata.webhooks.hurryDeliveries('ci', 300, 'b')).toBe(1)
      expect(await due(300)).toEqual(['b'])
      expect(await metadata.webhooks.hurryDeliveries('ci', 300)).toBe(2)
      expect(await due(300)).toEqual(['a', 'b'])
      expect(await metadata.webhooks.hurryDeliveries('other', 300)).toBe(0)
    })

    it('are gone once they were removed, and are counted until then', async () => {
      await put('a')
      await put('a', 'other')
      await metadata.webhooks.removeDelivery({ id: 'a', hook: 'ci' })
      expect([await metadata.webhooks.countDeliveries('ci'), await due(100, 'other')]).toEqual([0, ['a']])
    })

    it('of other hooks are forgotten from a certain age on', async () => {
      await put('a')
      await put('a', 'other')
      expect(await metadata.webhooks.forgetDeliveries(['ci'], 100)).toEqual([])
      expect(await metadata.webhooks.forgetDeliveries(['ci'], 101)).toEqual(['other'])
      expect([await due(100), await due(100, 'other')]).toEqual([['a'], []])
    })
  })

  describe(`changes of tags: ${name}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    const repository = parseRepositoryName('team/app')
    const node = { registry: 'docker.io', name: parseRepositoryName('library/node') }
    const tag = parseTag('1')
    const [first, second] = ['first', 'second'].map((text) => digestOf(Buffer.from(text))) as [Digest, Digest]
    const noted = async () => (await metadata.webhooks.notedChanges(10)).map(({ at, change }) => ({ at, ...change }))
    const all = () => metadata.webhooks.noteChanges(() => true)

    function push(digest: Digest, more: { silent?: true; tags?: string[]; fixed?: boolean } = {}) {
      const manifest = { digest, mediaType: 'x', bytes: new Uint8Array(), artifactType: undefined }
      const named = { annotations: undefined, subject: undefined, blobs: [], children: [], optional: [] }
      const tags = (more.tags ?? ['1']).map(parseTag)
      const set = {
        tags,
        immutable: () => more.fixed === true,
        maxTags: 10,
        ...(more.silent && { silent: true as const }),
      }
      return metadata.hosted.putManifest(repository, { ...manifest, ...named }, set, 7)
    }

    it('are noted with each push and deletion, by ids that stay, also after a restart', async () => {
      all()
      await push(first, { tags: ['1', '2'] })
      await metadata.hosted.deleteTag(repository, tag, 8)
      await push(first)
      await metadata.hosted.deleteManifest(repository, first, 9)
      const [before] = await metadata.webhooks.notedChanges(1)
      await again()
      const change = (type: TagChange['type'], at: number, tag: string) => ({
        type,
        at,
        repository,
        tag,
        digest: first,
      })
      expect(await noted()).toEqual([
        change('tag-pushed', 7, '1'),
        change('tag-pushed', 7, '2'),
        change('tag-deleted', 8, '1'),
        change('tag-pushed', 7, '1'),
        change('tag-deleted', 9, '1'),
        change('tag-deleted', 9, '2'),
      ])
      expect((await metadata.webhooks.notedChanges(1))[0]?.id).toBe(before?.id)
    })

    it("are noted of an upstream's tag when it comes to mean something else, whichever way it is written", async () => {
      all()
      await metadata.putTag(node, tag, { digest: first, checkedAt: 1 })
      await metadata.putTag(node, tag, { digest: first, checkedAt: 2 })
      await metadata.putTag(node, tag, { digest: second, checkedAt: 3 })
      const manifest = { digest: first, mediaType: 'x', bytes: new Uint8Array() }
      await metadata.putManifest(node, manifest, [], { tag, checkedAt: 4 })
      const moved = { type: 'tag-moved', upstream: 'docker.io', repository: node.name, tag }
      expect(await noted()).toEqual([
        { ...moved, at: 3, before: first, digest: second },
        { ...moved, at: 4, before: second, digest: first },
      ])
    })

    it('are not noted where nobody wants them, where nothing changed, and of what keeps itself in step', async () => {
      await push(first)
      metadata.webhooks.noteChanges(({ repository }) => repository !== node.name)
      await metadata.putTag(node, tag, { digest: first, checkedAt: 1 })
      await metadata.putTag(node, tag, { digest: second, checkedAt: 3 })
      await push(second, { silent: true })
      await push(first, { fixed: true })
      await metadata.hosted.deleteTag(repository, parseTag('none'), 8)
      await metadata.hosted.deleteManifest(repository, digestOf(Buffer.from('none')), 9)
      expect(await noted()).toEqual([])
    })

    it('become deliveries all at once', async () => {
      all()
      await push(first)
      const id = (await metadata.webhooks.notedChanges(10))[0]!.id
      const delivery = (hook: string) => ({ id, hook, body: '{}', createdAt: 7 })
      await metadata.webhooks.settleChange(id, [delivery('ci'), delivery('other')])
      await again()
      expect(await noted()).toEqual([])
      for (const hook of ['ci', 'other']) {
        expect((await metadata.webhooks.dueDeliveries(hook, 7, 10)).map((each) => each.id)).toEqual([id])
      }
    })
  })
}

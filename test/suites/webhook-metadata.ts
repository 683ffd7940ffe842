import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../src/metadata/metadata.ts'
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

    it('wait for their time once they were postponed, and count their attempts', async () => {
      await put('a')
      await metadata.webhooks.postponeDelivery({ id: 'a', hook: 'ci' }, 500)
      expect([await due(499), await due(500)]).toEqual([[], ['a']])
      expect((await metadata.webhooks.dueDeliveries('ci', 500, 1))[0]?.attempts).toBe(1)
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
}

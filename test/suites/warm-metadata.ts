import { describe, expect, it } from 'vitest'
import type { Metadata, WarmResult } from '../../src/metadata/metadata.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

/** What every WarmMetadata does. */
export function testWarmMetadata(name: string, make: MakeMetadata): void {
  describe(`runs of warm lists: ${name}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    const order = { references: ['a', 'b:{1,2}'], limit: 3, order: 'pulls', platforms: ['linux/*'] } as const
    const begin = (list?: string, startedAt = 1) => metadata.warm.begin({ list, order, startedAt })
    const result = (reference: string, at: number, message?: string): WarmResult => {
      return { reference, outcome: message === undefined ? 'ok' : 'failed', message, bytes: 10, at }
    }
    const latest = async (list?: string) => (await metadata.warm.latest(list, 100)).map(({ id }) => id)

    it('are unfinished until they are ended, also over a restart, with what they were begun with', async () => {
      const id = await begin('base', 5)
      await begin(undefined)
      await again()
      const [first, second] = await metadata.warm.unfinished()
      expect(first).toEqual({ id, list: 'base', order, startedAt: 5, endedAt: undefined, outcome: undefined })
      expect(second?.list).toBeUndefined()
      await metadata.warm.end(id, 'spared', 9)
      expect(await metadata.warm.unfinished()).toEqual([second])
      expect(await metadata.warm.find(id)).toEqual({ ...first, endedAt: 9, outcome: 'spared' })
      expect(await metadata.warm.find(id + 100)).toBeUndefined()
    })

    it('keep what became of each reference, in the order in which it was first told', async () => {
      const [one, other] = [await begin('base'), await begin('base')]
      await metadata.warm.putResult(one, result('b', 2, 'why'))
      await metadata.warm.putResult(one, result('a', 3))
      await metadata.warm.putResult(other, result('a', 1))
      await again()
      expect(await metadata.warm.results(one)).toEqual([result('b', 2, 'why'), result('a', 3)])
      await metadata.warm.putResult(one, result('b', 4))
      expect(await metadata.warm.results(one)).toEqual([result('b', 4), result('a', 3)])
    })

    it('are known by their list, the newest first, and the last ten that ended stay', async () => {
      const going = await begin('base')
      const ids: number[] = []
      for (let i = 0; i < 15; i++) {
        const id = await begin('base')
        await metadata.warm.putResult(id, result('a', 1))
        await metadata.warm.end(id, 'ok', i)
        ids.unshift(id)
      }
      const byHand = await begin(undefined)
      expect(await latest('base')).toEqual([...ids.slice(0, 11), going])
      expect(await latest()).toEqual([byHand])
      expect((await metadata.warm.latest('base', 1)).map(({ id }) => id)).toEqual([ids[0]])
      expect(await metadata.warm.results(ids[14]!)).toEqual([])
    })
  })
}

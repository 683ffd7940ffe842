import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isBuilt } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { eventually } from '../helpers/open-files.ts'
import { imageOf, Pusher } from '../helpers/push.ts'
import { makeRandom } from '../helpers/random.ts'
import { hookOf, startReceiver, type Receiver } from '../helpers/receiver.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { serve } from './serving.ts'

/** More in CI, where there is time. */
const kills = Number(process.env.BERTH_TEST_KILLS ?? (process.env.CI ? 50 : 4))
const seed = Number(process.env.BERTH_TEST_SEED ?? Date.now() % 1_000_000)

function makeHome(receiver: Receiver, upstream: Upstream): string {
  const settings = {
    listen: '127.0.0.1:0',
    storage: { data: './data', minFree: 0 },
    access: { anonymous: 'push' },
    hosted: { namespaces: ['team'] },
    upstreams: [{ name: 'docker.io', url: upstream.url, freshness: 'never' }],
    webhooks: [hookOf(receiver)],
  }
  return makeFolder({ 'config/berth.yaml': JSON.stringify(settings) })
}

/** An image whose one layer is this text. */
const image = (layer: string) => ({
  blobs: { c: '{}', layer },
  manifests: { m: { config: 'c', layers: ['layer'] } },
  tags: { 1: 'm' },
})

describe('a process killed at any moment of a push, or when it learns that a tag has moved', () => {
  it(
    `${kills} times (seed ${seed}): receivers are told of all that is there and of all that was seen, each by one id`,
    {
      timeout: 60_000 + kills * 6_000,
    },
    async () => {
      const random = makeRandom(seed)
      const receiver = await startReceiver()
      const upstream = await startUpstream({ content: { 'library/node': image('0') } })
      const home = makeHome(receiver, upstream)
      /** Tags that were pushed, and digests that clients saw a tag come to mean. */
      const acknowledged = new Set<string>()

      const pushAll = async (url: string, round: number) => {
        const pusher = new Pusher(url)
        for (const bytes of ['{}', 'layer']) await pusher.blob(bytes)
        for (let i = 0; ; i++) {
          const tag = `${round}.${i}`
          const { status } = await pusher.manifest(tag, imageOf('{}', 'layer'))
          if (status !== 201) throw new Error(`wanted 201, saw ${status}`)
          acknowledged.add(tag)
        }
      }
      const pullAll = async (url: string, round: number) => {
        const pull = () => fetchRaw(`${url}/v2/library/node/manifests/1`)
        const before = (await pull()).headers['docker-content-digest']
        for (let i = 0; ; i++) {
          upstream.push('library/node', image(`${round}.${i}`))
          const { status, complete, headers } = await pull()
          const digest = headers['docker-content-digest'] as string
          if (status === 200 && complete && digest !== before) acknowledged.add(digest)
        }
      }

      for (let round = 0; round < kills; round++) {
        // Now and then nobody listens, so that what waits in several places meets a kill.
        receiver.status = random.whole(0, 3) === 0 ? 503 : 204
        const serving = await serve(home, { built: isBuilt })
        const clients = Promise.allSettled([pushAll(serving.url, round), pullAll(serving.url, round)])
        const known = acknowledged.size
        const wanted = random.whole(1, 20)
        await eventually(
          () => acknowledged.size >= known + wanted,
          () => `${acknowledged.size - known} of ${wanted} acknowledged`,
        )
        await after(random.whole(0, 20))
        await serving.kill()
        await clients
      }

      receiver.status = 204
      const { url } = await serve(home, { built: isBuilt })
      // What a kill kept from being acknowledged is there all the same, and told as well.
      const { tags } = (await new Pusher(url).send('GET', 'tags/list')).json() as { tags: string[] }
      for (const tag of tags) acknowledged.add(tag)
      const told = () => new Set(receiver.messages.map(({ data }) => aboutWhat(data)))
      await eventually(
        () => [...acknowledged].every((what) => told().has(what)),
        () => `told of ${[...acknowledged].filter((what) => !told().has(what)).join(', ')}`,
        60_000,
      )
      expect(acknowledged.size).toBeGreaterThan(kills)
      for (const what of acknowledged) {
        const ids = receiver.messages.filter(({ data }) => aboutWhat(data) === what).map(({ id }) => id)
        expect([what, new Set(ids).size]).toEqual([what, 1])
      }
    },
  )
})

const aboutWhat = (data: Record<string, unknown>): string => String('upstream' in data ? data.digest : data.tag)

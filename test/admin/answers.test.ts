import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as api from '../../src/admin/operations.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, startOldScene, type Scene } from '../helpers/pages.ts'

// What the admin API answers is what it says it answers, no less and no more: clients are made from its description.

const node = 'docker.io/library/node'

/** What each call that reads is asked, in a scene where there is something of everything. */
const asked: Record<string, (scene: Scene) => object> = {
  '/repositories': () => ({ q: 'node' }),
  '/tags': () => ({ name: node }),
  '/repository': () => ({ name: 'team/app' }),
  '/image': () => ({ name: node, reference: '20' }),
  '/history': () => ({ name: node, tag: '20' }),
  '/deleted-tags': () => ({ name: 'team/app' }),
  '/difference': ({ upstream }) => {
    const digest = upstream.content.digest('library/node', '20.11.0')
    return { name: node, from: digest, to: digest }
  },
  '/packages': () => ({ name: node, reference: '20' }),
  '/description': () => ({ name: 'team/app' }),
  '/cache': () => ({}),
  '/fills': () => ({}),
  '/pins': () => ({}),
  '/spending': () => ({ since: 0 }),
  '/tokens': () => ({}),
  '/accounts': () => ({}),
  '/account': () => ({ name: 'bob' }),
  '/grants': () => ({}),
  '/visibility': () => ({}),
  '/may': () => ({ user: 'bob', action: 'push', name: 'team/app' }),
  '/namespaces': () => ({}),
  '/audit': () => ({}),
  '/audit/log': () => ({}),
  '/warm': () => ({}),
  '/warm/run': () => ({ id: 2 }),
  '/webhooks': () => ({}),
  '/webhooks/waiting': () => ({ name: 'ci' }),
}

const { apiPrefix, operatorHeader: _, takesJson: __, ...rooms } = api
const reads = Object.values(rooms)
  .flatMap((room) => Object.values(room as Record<string, api.Operation>))
  .filter(({ method }) => method === 'get')

describe('every call of the admin API that reads', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startOldScene()
  })
  afterAll(() => scene?.stop())

  it('is asked here', () => {
    expect(reads.map(({ path }) => path).sort()).toEqual(Object.keys(asked).sort())
  })

  it.each(reads.map((operation) => [operation.path, operation] as const))(
    '%s answers in its form',
    async (path, { answer }) => {
      const query = new URLSearchParams(asked[path]!(scene) as Record<string, string>).toString()
      const received = await fetchRaw(`${scene.berth.url}${apiPrefix}${path}?${query}`, { headers: admin })
      expect([received.status, received.text().slice(0, 200)]).toEqual([200, expect.any(String)])
      // Parsing leaves out what the form does not have.
      expect(received.json()).toEqual(answer.parse(received.json()))
    },
  )
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, startScene } from '../helpers/pages.ts'
import { startBerth } from '../helpers/start.ts'

async function cacheOf(berth: { url: string }) {
  const { json } = await fetchRaw(`${berth.url}/api/v1/cache`, { headers: admin }).then((answer) => ({
    json: answer.json(),
  }))
  return json as {
    totals: Record<string, number>
    upstreams: { name: string; down: object; budgets: Record<string, object>; refused: Record<string, object> }[]
    problems: { upstream: string; message: string; times: number }[]
  }
}

const upstreamIn = async (berth: { url: string }, name: string) =>
  (await cacheOf(berth)).upstreams.find((upstream) => upstream.name === name)!

describe('figures', () => {
  it('tell what was served and what it cost, and outlive the process', async () => {
    const scene = await startScene()
    for (let i = 0; i < 3; i++) await scene.pullAll('library/node', '20.11.0.amd64')
    const { berth, upstream } = await scene.restart()
    const size = ['20.11.0.amd64.config', 'base', '20.11.0.layer', 'entrypoint']
      .map((name) => upstream.content.size('library/node', name))
      .reduce((sum, bytes) => sum + bytes)
    expect((await cacheOf(berth)).totals).toEqual({
      hits: 10,
      misses: 5,
      revalidated: 0,
      stale: 0,
      servedBytes: 3 * size,
      receivedBytes: size,
      pullsServed: 3,
      pullsSpent: 1,
    })
  })

  it('count version checks apart from hits', async () => {
    const clock = makeClock()
    const scene = await startScene({ clock })
    await scene.pull('library/node', '20')
    clock.advance(120_000)
    await scene.pull('library/node', '20')
    const { berth } = await scene.restart()
    expect((await cacheOf(berth)).totals).toMatchObject({ hits: 0, misses: 1, revalidated: 1, pullsSpent: 1 })
  })
})

describe('conditions', () => {
  it('tell which host is down, why, and how often it went wrong, until it is back', async () => {
    const clock = makeClock()
    const scene = await startScene({ clock })
    const { berth, upstream } = scene
    await upstream.stop()
    await fetchRaw(`${berth.url}/v2/library/node/manifests/20`)
    expect(Object.keys((await upstreamIn(berth, 'docker.io')).down)).toEqual([upstream.url])
    expect((await cacheOf(berth)).problems[0]).toMatchObject({
      upstream: 'docker.io',
      message: expect.stringContaining('cannot be reached') as string,
    })
    await upstream.restart()
    clock.advance(60_000)
    await scene.pull('library/node', '20')
    expect((await upstreamIn(berth, 'docker.io')).down).toEqual({})
  })

  it('tell what is left of a pull limit', async () => {
    const scene = await startScene()
    scene.upstream.set({ rate: { limit: 100, remaining: 50 } })
    await scene.pull('library/node', '20')
    const { budgets } = await upstreamIn(scene.berth, 'docker.io')
    expect(budgets).toMatchObject({ anonymous: { remaining: 49, limit: 100, scarce: false } })
  })

  it('tell which login does not work, and nothing of what it is', async () => {
    const scene = await startScene()
    const auth = { kind: 'bearer', users: { me: 'right' } } as const
    scene.upstream.set({ auth })
    const credentials = { username: 'me', password: 'a wrong secret' }
    const berth = await startBerth({
      access: { user: { username: 'ada', password: 'correct horse battery staple' } },
      upstreams: [{ name: 'docker.io', url: scene.upstream.url, credentials }],
    })
    await fetchRaw(`${berth.url}/v2/library/node/manifests/20`, { headers: admin })
    const { refused } = await upstreamIn(berth, 'docker.io')
    expect(Object.keys(refused)).toEqual(['credentials'])
    const page = (await fetchRaw(`${berth.url}/cache`, { headers: admin })).text()
    expect(page).toContain('login of credentials refused')
    expect(page).not.toContain('a wrong secret')
  })
})

import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { descriptor, imageOf, ociIndex, ociManifest, Pusher, sha256, startHosting } from '../helpers/push.ts'

const hour = 3_600_000
const day = 24 * hour

/** A registry that collects all the time, by a clock that the test moves. */
async function start(hosted: Record<string, unknown> = {}) {
  const clock = makeClock()
  const collection = { every: '5ms', grace: '1h', untagged: '2h' }
  const berth = await startHosting({ clock, hosted: { namespaces: ['team'], collection, ...hosted } })
  const pusher = new Pusher(berth.url)
  const fileOf = (digest: string) => path.join(berth.data, 'blobs', 'sha256', digest.slice(7, 9), digest.slice(7))
  return { ...berth, clock, pusher, fileOf }
}

/** Resolves when a blob that is pushed now has been collected: since then everything has been looked at. */
async function collected(pusher: Pusher, pass: () => void): Promise<void> {
  const sentinel = `sentinel ${Math.random()}`
  await pusher.blob(sentinel)
  pass()
  await gone(pusher, `blobs/${sha256(sentinel)}`)
}

async function gone(pusher: Pusher, path: string): Promise<void> {
  const deadline = Date.now() + 10_000
  // GET of a blob is no use that counts: nothing builds on it.
  while ((await pusher.status(path)) !== 404) expect(Date.now()).toBeLessThan(deadline)
}

describe('a collection', () => {
  it('removes a manifest without a tag after its time, and its blobs with their files', async () => {
    const { pusher, clock, fileOf } = await start()
    const digest = await pusher.image('1', 'layer')
    await pusher.send('DELETE', 'manifests/1')
    await collected(pusher, () => clock.advance(1.5 * hour))
    expect((await pusher.send('GET', `blobs/${sha256('layer')}`)).text()).toBe('layer')
    await collected(pusher, () => clock.advance(2 * hour))
    expect(await pusher.status(`manifests/${digest}`)).toBe(404)
    await collected(pusher, () => clock.advance(2 * hour))
    expect(await pusher.status(`blobs/${sha256('layer')}`)).toBe(404)
    expect(existsSync(fileOf(sha256('layer')))).toBe(false)
    // Pushed again, it is whole (case 57).
    expect(await pusher.image('1', 'layer')).toBe(digest)
    expect((await pusher.send('GET', `blobs/${sha256('layer')}`)).text()).toBe('layer')
  })

  it('keeps children of an index, what refers to it, and subjects, for ever (case 58)', async () => {
    const { pusher, clock } = await start()
    const child = await pusher.image('child', 'one')
    const manifest = JSON.stringify(imageOf('{}', 'one'))
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [{ mediaType: ociManifest, digest: child, size: manifest.length }],
    })
    await pusher.manifest('index', index, ociIndex)
    const signature = JSON.stringify({ ...imageOf('{}'), subject: descriptor(index, ociIndex) })
    await pusher.manifest(sha256(signature), signature)
    await pusher.send('DELETE', 'manifests/child')
    for (let i = 0; i < 3; i++) await collected(pusher, () => clock.advance(30 * day))
    for (const digest of [child, sha256(index), sha256(signature)]) {
      expect(await pusher.status(`manifests/${digest}`)).toBe(200)
    }
    expect(await pusher.status(`blobs/${sha256('one')}`)).toBe(200)
  })

  it('keeps a blob that another repository holds', async () => {
    const { pusher, clock, url } = await start()
    await new Pusher(url, 'team/other').image('1', 'shared')
    await pusher.blob('shared')
    await collected(pusher, () => clock.advance(2 * hour))
    expect(await pusher.status(`blobs/${sha256('shared')}`)).toBe(404)
    expect((await new Pusher(url, 'team/other').send('GET', `blobs/${sha256('shared')}`)).text()).toBe('shared')
  })

  it('gives a blob its grace anew when a client is told that it is there', async () => {
    const { pusher, clock } = await start()
    for (const bytes of ['told', 'untold']) await pusher.blob(bytes)
    clock.advance(0.7 * hour)
    await pusher.send('HEAD', `blobs/${sha256('told')}`)
    clock.advance(0.5 * hour)
    await gone(pusher, `blobs/${sha256('untold')}`)
    expect(await pusher.status(`blobs/${sha256('told')}`)).toBe(200)
  })
})

describe('an upload session', () => {
  it('that nothing was sent to for a day is given up, and its file goes', async () => {
    const { pusher, clock, data } = await start()
    const path = new URL(await pusher.open()).pathname.replace('/v2/team/app/', '')
    const part = { method: 'PATCH', body: 'part', headers: { 'content-length': 4 } }
    expect((await pusher.send('PATCH', path, part)).status).toBe(202)
    // That one is kept open for a minute by a clock that the test does not move; this one is but a file.
    const other = new URL(await pusher.open()).pathname.replace('/v2/team/app/', '')
    await collected(pusher, () => clock.advance(23 * hour))
    expect(await pusher.status(other)).toBe(204)
    await collected(pusher, () => clock.advance(2 * hour))
    await gone(pusher, other)
    expect(existsSync(`${data}/uploads/${other.split('/').at(-1)}`)).toBe(false)
    expect(await pusher.status(path)).toBe(204)
  })
})

describe('retention', () => {
  it('keeps the last, the young, the named and the immutable, and only in its repositories', async () => {
    const { pusher, clock, url } = await start({
      retention: [{ match: 'team/app', keepLast: 2, keepYounger: '1d', keepTags: ['release-*'] }],
      immutableTags: ['team/app:v1'],
    })
    const other = new Pusher(url, 'team/other')
    for (const tag of ['v1', 'release-1', 'a', 'b', 'c']) {
      await pusher.image(tag, tag)
      await other.image(tag, tag)
      clock.advance(1000)
    }
    const tags = async (of: Pusher) => ((await of.send('GET', 'tags/list')).json() as { tags: string[] }).tags
    await collected(pusher, () => clock.advance(2 * hour))
    expect(await tags(pusher)).toHaveLength(5)
    await collected(pusher, () => clock.advance(2 * day))
    expect(await tags(pusher)).toEqual(['b', 'c', 'release-1', 'v1'])
    expect(await tags(other)).toHaveLength(5)
  })
})

describe('what a tag meant before', () => {
  it('goes as all that nothing reaches, and its history says so', async () => {
    const { pusher, clock, url } = await start()
    const before = await pusher.image('1', 'one')
    await pusher.image('1', 'two')
    await collected(pusher, () => clock.advance(3 * hour))
    expect(await pusher.status(`manifests/${before}`)).toBe(404)
    const answer = await fetchRaw(`${url}/api/v1/history?name=team/app&tag=1`)
    expect(answer.json()).toMatchObject([{ here: true }, { digest: before, here: false }])
  })

  it('stays where retention keeps it, whole, so many for each tag, and tags stay by such a rule', async () => {
    const { pusher, clock } = await start({ retention: [{ match: 'team/*', keepEarlier: 2 }] })
    const digests: string[] = []
    for (const layer of ['one', 'two', 'three', 'four']) {
      digests.push(await pusher.image('1', layer))
      clock.advance(1000)
    }
    await collected(pusher, () => clock.advance(30 * day))
    await collected(pusher, () => clock.advance(30 * day))
    const statuses = await Promise.all(digests.map((digest) => pusher.status(`manifests/${digest}`)))
    expect(statuses).toEqual([404, 200, 200, 200])
    const layers = ['one', 'two', 'four'].map((layer) => pusher.status(`blobs/${sha256(layer)}`))
    expect(await Promise.all(layers)).toEqual([404, 200, 200])
  })
})

describe('beside a collector that always runs', () => {
  it('pushes, deletes, mounts and pushes of the same blob all succeed, and no image is broken', async () => {
    const collection = { every: '0s', grace: '2s', untagged: '0s' }
    const { url } = await startHosting({ hosted: { namespaces: ['team'], collection } })
    const end = Date.now() + (process.env.CI ? 30_000 : 3_000)
    let images = 0
    const worker = async (id: number) => {
      const pusher = new Pusher(url, `team/app${id % 2}`)
      for (let i = 0; Date.now() < end; i++) {
        const layers = ['shared', `layer ${i % 3}`, `own ${id} ${i}`]
        const digest = await pusher.image(`tag${id}`, ...layers)
        expect(await pusher.status(`manifests/tag${id}`)).toBe(200)
        for (const layer of layers) expect(await pusher.status(`blobs/${sha256(layer)}`)).toBe(200)
        if (i % 2 === 0) await pusher.send('DELETE', `manifests/${digest}`)
        images++
      }
    }
    await Promise.all([0, 1, 2, 3].map(worker))
    expect(images).toBeGreaterThan(10)
  }, 60_000)
})

import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, nodeImage, startScene, type Scene } from '../helpers/pages.ts'
import { Pusher } from '../helpers/push.ts'
import { describeTool } from '../helpers/tools.ts'

describeTool('what people do with tags and their past', { tools: ['chromium'] }, () => {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()))
  afterAll(() => browser?.close())

  async function visit(scene: Scene, path: string, context: BrowserContextOptions = {}): Promise<Tab> {
    const page = await (await browser.newContext({ extraHTTPHeaders: admin, ...context })).newPage()
    const tab = new Tab(page)
    await page.goto(scene.berth.url + path)
    return tab
  }

  const meaning = async ({ berth }: Scene, path: string) =>
    (await fetchRaw(`${berth.url}/v2/${path}`)).headers['docker-content-digest'] as string
  const short = (digest: string) => digest.slice(7, 19)

  it('is to see who pushed what when, to roll a tag back, and to bring a deleted one back', async () => {
    const scene = await startScene()
    const pusher = new Pusher(scene.berth.url, 'team/app', admin)
    const one = await pusher.image('1.0', 'one')
    const two = await pusher.image('1.0', 'two')
    const { page, complaints } = await visit(scene, '/r/team/app/t/1.0')
    const history = page.locator('section', { has: page.getByRole('heading', { name: 'History of this tag' }) })
    expect(await history.getByRole('row').nth(1).textContent()).toContain(`${short(two)}ada`)
    await history.getByRole('button', { name: `Roll back to ${short(one)}` }).click()
    await page.getByText('Rolled back').waitFor()
    expect(await meaning(scene, 'team/app/manifests/1.0')).toBe(one)
    expect(await history.getByRole('row').count()).toBe(4)

    await page.getByRole('button', { name: 'Delete this tag' }).click()
    await page.getByRole('heading', { name: 'Deleted lately' }).waitFor()
    await page.getByRole('link', { name: '1.0' }).click()
    await page.getByText('This tag was deleted.').waitFor()
    expect(await history.getByRole('row').nth(1).textContent()).toContain('deletedada')
    await history.getByRole('button', { name: `Roll back to ${short(two)}` }).click()
    await page.getByText('Rolled back').waitFor()
    expect(await meaning(scene, 'team/app/manifests/1.0')).toBe(two)
    // A browser complains of the page that answers 404 itself.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
  })

  it('is to pin a cached tag to what it meant before, to find it among the pins, and to release it', async () => {
    const scene = await startScene({ upstreamSettings: { freshness: 'never' } })
    const before = scene.upstream.content.digest('library/node', '20.11.0')
    await scene.pull('library/node', '20')
    scene.upstream.push('library/node', nodeImage('20.12.1', ['20'], 3))
    const after = scene.upstream.content.digest('library/node', '20.12.1')
    await scene.pull('library/node', '20')
    const { page, complaints } = await visit(scene, '/r/docker.io/library/node/t/20')
    await page.getByRole('button', { name: `Pin to ${short(before)}` }).click()
    await page.getByText('Pinned here to').waitFor()
    expect(await meaning(scene, 'library/node/manifests/20')).toBe(before)
    await page.goto(`${scene.berth.url}/r/docker.io/library/node`)
    expect(await page.getByRole('rowheader').first().textContent()).toContain('20pinned')
    await page.goto(`${scene.berth.url}/cache`)
    const pins = page.locator('section', { has: page.getByRole('heading', { name: 'Pinned to a digest' }) })
    expect(await pins.getByRole('row').nth(1).textContent()).toContain(`docker.io/library/node:20${short(before)}`)
    await pins.getByRole('link', { name: 'docker.io/library/node:20' }).click()
    expect(await page.getByRole('status').textContent()).toMatch(
      new RegExp(`by ada.*the upstream said ${short(after)}`),
    )
    await page.getByRole('button', { name: 'Release it' }).click()
    await page.getByText('Released:').waitFor()
    expect(await meaning(scene, 'library/node/manifests/20')).toBe(after)
    expect(complaints).toEqual([])
  })

  it('is to tag and delete in the list of tags, where they may', async () => {
    const scene = await startScene()
    const pusher = new Pusher(scene.berth.url, 'team/app', admin)
    const one = await pusher.image('1.0', 'one')
    const two = await pusher.image('2.0', 'two')
    const { page, complaints } = await visit(scene, '/r/team/app')
    for (const [reference, tag] of [
      ['1.0', 'stable'],
      [two, 'stable'],
      [one, 'old'],
    ] as const) {
      await page.getByLabel('Tag or digest').fill(reference)
      await page.getByLabel('Another tag').fill(tag)
      await page.getByRole('button', { name: 'Tag', exact: true }).click()
      await page.getByText('Tagged.').waitFor()
      await page.goto(`${scene.berth.url}/r/team/app`)
    }
    expect(await meaning(scene, 'team/app/manifests/stable')).toBe(two)
    expect(await meaning(scene, 'team/app/manifests/old')).toBe(one)
    await page.getByRole('button', { name: 'Delete 2.0' }).click()
    await page.getByText('Deleted.').waitFor()
    const tags = await page.getByRole('rowheader').allTextContents()
    expect(tags.sort()).toEqual(['1.0', 'old', 'stable'])
    expect(complaints).toEqual([])
  })

  it('is none of it for those who may not', async () => {
    const scene = await startScene()
    const pusher = new Pusher(scene.berth.url, 'team/app', admin)
    for (const layer of ['one', 'two']) await pusher.image('1.0', layer)
    for (const path of ['/r/team/app', '/r/team/app/t/1.0']) {
      const { page } = await visit(scene, path, { extraHTTPHeaders: {} })
      expect([path, await page.getByRole('button').allTextContents()]).toEqual([path, ['Copy']])
    }
  })
})

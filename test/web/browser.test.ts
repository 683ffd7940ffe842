import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { admin, nodeImage, pushApplication, startScene, type Scene } from '../helpers/pages.ts'
import { fetchRaw } from '../helpers/http.ts'
import { describeTool } from '../helpers/tools.ts'

const day = 86_400_000
const sizes = [1280, 390]

describeTool('the pages in Chromium', { tools: ['chromium'] }, () => {
  let browser: Browser
  let scene: Scene
  beforeAll(async () => {
    browser = await startBrowser()
    scene = await makeScene()
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.stop()
  })

  async function open(path: string, { width = 1280, login = false } = {}): Promise<Tab> {
    const page = await browser.newPage({
      viewport: { width, height: 800 },
      ...(login && { extraHTTPHeaders: admin }),
    })
    const tab = new Tab(page)
    await page.goto(scene.berth.url + path)
    return tab
  }

  const pages = {
    home: '/',
    search: '/search?q=node',
    repository: '/r/docker.io/library/node',
    hosted: '/r/team/app',
    image: '/r/docker.io/library/node/t/20',
    difference: `/r/docker.io/library/node/t/20`,
    application: '/r/team/app/t/1.4.2',
    missing: '/r/docker.io/library/nothing',
  }
  const operators = {
    cache: '/cache',
    collection: '/cache/collection',
    'own-image': '/r/docker.io/library/node/t/20',
    'own-application': '/r/team/app/t/1.4.2',
  }

  it.each([...Object.entries(pages), ...Object.entries(operators)])(
    '%s is sound, wide and narrow',
    async (name, path) => {
      for (const width of sizes) {
        const tab = await open(path, { width, login: name in operators })
        await tab.photograph(`${name}-${width}`)
        if (name === 'missing') tab.complaints.length = 0
        await tab.expectSound()
        await tab.page.close()
      }
    },
  )
})

/** A registry some weeks old: node moved once, a team has pushed, and one upstream is down. */
async function makeScene(): Promise<Scene> {
  const clock = makeClock()
  const down = { name: 'ghcr.io', url: 'http://127.0.0.1:9' }
  let scene = await startScene({ clock, others: [down] })
  const { upstream } = scene
  for (const tag of ['20', '20.11.0']) await scene.pull('library/node', tag)
  for (let i = 0; i < 3; i++) await scene.pullAll('library/node', '20.11.0.amd64')
  await pushApplication(scene.berth, ['1.4.1', '1.4.2'])
  clock.advance(9 * day)
  scene = await scene.restart()
  upstream.set({ rate: { limit: 100, remaining: 43 } })
  upstream.push('library/node', nodeImage('20.12.1', ['20', '20.12.1'], 3))
  for (const tag of ['20', '20.12.1']) await scene.pull('library/node', tag)
  for (let i = 0; i < 4; i++) await scene.pullAll('library/node', '20.11.0.amd64')
  clock.advance(5 * 3_600_000)
  scene = await scene.restart()
  for (let i = 0; i < 9; i++) await scene.pullAll('library/node', '20.12.1.amd64')
  clock.advance(3 * 3_600_000)
  scene = await scene.restart()
  await fetchRaw(`${scene.berth.url}/v2/ghcr.io/org/tool/manifests/1`)
  await scene.pull('library/node', '20')
  return scene
}

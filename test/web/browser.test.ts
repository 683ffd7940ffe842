import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { nodeImage, pushApplication, startScene, type Scene } from '../helpers/pages.ts'
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

  async function open(path: string, width = 1280): Promise<Tab> {
    const page = await browser.newPage({ viewport: { width, height: 800 } })
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
    application: '/r/team/app/t/1.4.2',
    missing: '/r/docker.io/library/nothing',
  }

  it.each(Object.entries(pages))('%s is sound, wide and narrow', async (name, path) => {
    for (const width of sizes) {
      const tab = await open(path, width)
      await tab.photograph(`${name}-${width}`)
      if (name === 'missing') tab.complaints.length = 0
      await tab.expectSound()
      await tab.page.close()
    }
  })
})

/** A registry some weeks old: node moved once, and a team has pushed. */
async function makeScene(): Promise<Scene> {
  const clock = makeClock()
  const scene = await startScene({ clock })
  const { upstream, pull } = scene
  await pull('library/node', '20')
  await pull('library/node', '20.11.0')
  await pushApplication(scene.berth, ['1.4.1', '1.4.2'])
  clock.advance(9 * day)
  upstream.push('library/node', nodeImage('20.12.1', ['20', '20.12.1'], 3))
  for (const tag of ['20', '20.12.1']) await pull('library/node', tag)
  clock.advance(5 * 60_000)
  return scene.restart()
}

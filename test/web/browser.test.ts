import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { admin, allPages, startOldScene, type Scene } from '../helpers/pages.ts'
import { describeTool } from '../helpers/tools.ts'

const sizes = [1280, 390]

describeTool('the pages in Chromium', { tools: ['chromium'] }, () => {
  let browser: Browser
  let scene: Scene
  beforeAll(async () => {
    browser = await startBrowser()
    scene = await startOldScene()
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

  it.each(allPages)('$name is sound, wide and narrow', async ({ name, path, login }) => {
    for (const width of sizes) {
      const tab = await open(path(scene), { width, login })
      await tab.photograph(`${name}-${width}`)
      if (name === 'missing') tab.complaints.length = 0
      await tab.expectSound()
      await tab.page.close()
    }
  })
})

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { admin, allPages, startOldScene, type PageSpec, type Scene } from '../helpers/pages.ts'
import { describeTool } from '../helpers/tools.ts'

/** Each page is looked at in these ways; pictures of it are below test/output. */
const looks = [
  { look: '1280', width: 1280, colorScheme: 'light' },
  { look: '390', width: 390, colorScheme: 'light' },
  { look: 'dark', width: 1280, colorScheme: 'dark' },
] as const

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

  async function open({ path, login }: PageSpec, { width, colorScheme }: (typeof looks)[number]): Promise<Tab> {
    const viewport = { width, height: 800 }
    const page = await browser.newPage({ viewport, colorScheme, ...(login && { extraHTTPHeaders: admin }) })
    const tab = new Tab(page)
    await page.goto(scene.berth.url + path(scene))
    return tab
  }

  it.each(allPages)('$name is sound, wide, narrow and dark', async (spec) => {
    for (const look of looks) {
      const tab = await open(spec, look)
      await tab.photograph(`${spec.name}-${look.look}`)
      // A browser complains of a page that answers 404 itself.
      if (spec.name === 'missing') tab.complaints.length = 0
      await tab.expectSound()
      await tab.page.close()
    }
  })
})

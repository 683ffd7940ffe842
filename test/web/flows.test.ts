import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { hostileLines } from '../helpers/hostile-markdown.ts'
import { admin, password, pushApplication, startScene, type Scene } from '../helpers/pages.ts'
import { hookOf, startReceiver } from '../helpers/receiver.ts'
import { describeTool } from '../helpers/tools.ts'

const layer = { size: 24 * 1024 * 1024, seed: 7 }
const large = { blobs: { layer }, manifests: { m: { config: 'layer', layers: ['layer'] } }, tags: { 1: 'm' } }

describeTool('what people do on the pages', { tools: ['chromium'] }, () => {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()))
  afterAll(() => browser?.close())

  async function visit(scene: Scene, path: string, context: BrowserContextOptions = {}): Promise<Tab> {
    const page = await (await browser.newContext(context)).newPage()
    const tab = new Tab(page)
    await page.goto(scene.berth.url + path)
    return tab
  }
  const asAdmin = { extraHTTPHeaders: admin }

  it('is to search for a repository, open it and a tag, and copy the pull command', async () => {
    const scene = await startScene()
    await scene.pull('library/node', '20')
    const { page, complaints } = await visit(scene, '/', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByLabel('Repository name').fill('node')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('link', { name: 'docker.io/library/node' }).click()
    await page.getByRole('rowheader').getByRole('link', { name: '20' }).click()
    await page.getByRole('button', { name: 'Copy pull command' }).click()
    await page.getByText('Copied').waitFor()
    const copied = await page.evaluate<string>('navigator.clipboard.readText()')
    expect(copied).toBe(`docker pull ${scene.berth.host}/docker.io/library/node:20`)
    expect(await page.getByText('docker-entrypoint.sh').first().isVisible()).toBe(true)
    expect(complaints).toEqual([])
  })

  it('is to log in where a page asks for it, go on there, and log out', async () => {
    const scene = await startScene()
    const { page, complaints } = await visit(scene, '/cache?window=week')
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('the user name or password is wrong').waitFor()
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL('**/cache?window=week')
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Cache')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('link', { name: 'Log in' }).waitFor()
    // A browser complains of every 401 itself.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('is to move by keyboard alone: the first stop leads past the header', async () => {
    const scene = await startScene()
    const { page } = await visit(scene, '/')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(page.url()).toMatch(/#main$/)
  })

  it('is to watch a cold pull come in, and to evict what came', async () => {
    const scene = await startScene()
    scene.upstream.push('library/large', large)
    await scene.pull('library/large', '1')
    const { page, complaints } = await visit(scene, '/cache', asAdmin)
    const digest = scene.upstream.content.digest('library/large', 'layer')
    const release = scene.upstream.hold(/blobs/, 2 * 1024 * 1024)
    const pull = await openRaw(`${scene.berth.url}/v2/library/large/blobs/${digest}`)
    const progress = page.locator(`[data-digest="${digest}"] progress`)
    await progress.waitFor()
    const value = () => progress.evaluate((bar) => (bar as unknown as { position: number }).position)
    await expect.poll(value, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(await value()).toBeLessThan(1)
    release()
    await pull.rest()
    await progress.waitFor({ state: 'detached' })

    await page.goto(`${scene.berth.url}/r/docker.io/library/large/t/1`)
    await page.getByText('all on disk').waitFor()
    await page.getByRole('button', { name: 'Evict from the disk' }).click()
    await page.getByText('24 MiB are free again').waitFor()
    expect(await page.getByText('not on disk').first().isVisible()).toBe(true)
    expect(complaints).toEqual([])
  })

  it('is to fetch a warm list, to see it come in without a click, and what became of it', async () => {
    const warm = [{ name: 'base', references: ['docker.io/library/large:{1,2}'] }]
    const scene = await startScene({ warm })
    scene.upstream.push('library/large', large)
    const { page, complaints } = await visit(scene, '/warm', asAdmin)
    const release = scene.upstream.hold(/blobs/, 2 * 1024 * 1024)
    await page.getByRole('button', { name: 'Fetch now' }).first().click()
    await page.getByText('0 of 2 references').waitFor()
    release()
    await page.getByText('2 of 2 references').waitFor()
    expect(await page.getByText('not all of it is here').isVisible()).toBe(true)
    await page.getByRole('link', { name: 'Each reference' }).click()
    const row = (tag: string) => page.getByRole('row', { name: `docker.io/library/large:${tag}` }).textContent()
    expect(await row('1')).toContain('warm24 MiB')
    expect(await row('2')).toContain('does not exist')
    await page.getByRole('link', { name: 'Warm lists' }).click()
    await page.getByLabel('Images').fill('large:1')
    await page.getByRole('button', { name: 'Fetch now' }).last().click()
    await page.getByText('1 of 1 reference', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  it('is to send a receiver of webhooks a test event, and what waits for it again', async () => {
    const receiver = await startReceiver()
    receiver.status = 500
    const scene = await startScene({ webhooks: [hookOf(receiver)] })
    await pushApplication(scene.berth, ['1.0'])
    await receiver.attempted(1)
    const { page, complaints } = await visit(scene, '/webhooks', asAdmin)
    await page.getByRole('link', { name: 'ci' }).click()
    await page.getByText('berth.tag.pushed').first().waitFor()
    receiver.status = 204
    await page.getByRole('button', { name: 'Send a test event' }).click()
    await page.getByText('The receiver took the test event.').waitFor()
    await page.getByRole('button', { name: 'Send now' }).click()
    await page.getByText(/Being sent again|Nothing of it waits any more/).waitFor()
    await receiver.received(2)
    await page.reload()
    await page.getByText('Nothing waits').waitFor()
    expect(receiver.messages.map(({ type }) => type)).toEqual(['berth.test', 'berth.tag.pushed'])
    expect(complaints).toEqual([])
  })

  it('is to tag, and to delete a tag', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0'])
    const { page, complaints } = await visit(scene, '/r/team/app/t/1.0', asAdmin)
    await page.getByLabel('Another tag').fill('stable')
    await page.getByRole('button', { name: 'Tag', exact: true }).click()
    await page.waitForURL('**/t/stable?done=tagged')
    await page.goto(`${scene.berth.url}/r/team/app/t/1.0`)
    await page.getByRole('button', { name: 'Delete this tag' }).click()
    await page.getByText('Deleted.').waitFor()
    expect(await page.getByRole('rowheader').allTextContents()).toEqual(['stable'])
    expect(complaints).toEqual([])
  })

  it('is to create a token, to log in with it, and to revoke it', async () => {
    const scene = await startScene()
    const { page, complaints } = await visit(scene, '/account', asAdmin)
    await page.getByLabel('For what').fill('nightly builds')
    await page.getByLabel('Which repositories').fill('team/*')
    await page.getByRole('button', { name: 'Create token' }).click()
    const token = (await page.locator('.notice .copyable code').textContent())!
    const opens = async () => {
      const basic = Buffer.from(`ada:${token}`).toString('base64')
      return (await fetchRaw(`${scene.berth.url}/v2/`, { headers: { authorization: `Basic ${basic}` } })).status
    }
    await expect.poll(opens, { timeout: 5_000 }).toBe(200)
    await page.goto(`${scene.berth.url}/account`)
    expect(await page.content()).not.toContain(token)
    await page.getByRole('row', { name: 'nightly builds' }).getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Revoked').waitFor()
    await expect.poll(opens, { timeout: 5_000 }).toBe(401)
    expect(complaints).toEqual([])
  })

  it('is to add a user and an organization, and to make somebody its member', async () => {
    const scene = await startScene()
    const { page, complaints } = await visit(scene, '/accounts', asAdmin)
    const addUser = page.locator('section', { has: page.getByRole('heading', { name: 'Add a user' }) })
    await addUser.getByLabel('Name').fill('bob')
    await addUser.getByLabel('Password').fill('bobs password')
    await page.getByRole('button', { name: 'Add user' }).click()
    await page.getByText('Added.').waitFor()
    const addOrganization = page.locator('section', { has: page.getByRole('heading', { name: 'Add an organization' }) })
    await addOrganization.getByLabel('Name').fill('crew')
    await page.getByRole('button', { name: 'Add organization' }).click()
    await page.getByRole('link', { name: 'crew' }).click()
    await page.getByLabel('User', { exact: true }).fill('bob')
    await page.getByRole('button', { name: 'Set member' }).click()
    await page.getByText('Changed.').waitFor()
    expect(
      await page.locator('section', { has: page.getByRole('heading', { name: 'Members' }) }).textContent(),
    ).toContain('bob')
    await page.getByRole('button', { name: 'Remove crew' }).click()
    await page.getByText('Removed.').waitFor()
    expect(complaints).toEqual([])
  })

  it('is to describe a repository, to look at it first, and to lose nothing when somebody else was faster', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0'])
    const path = '/r/team/app'
    const asWriter = { ...asAdmin, javaScriptEnabled: false }
    const { page, complaints } = await visit(scene, path, asWriter)
    const other = await visit(scene, `${path}?edit=description`, asWriter)
    await page.getByRole('link', { name: 'Edit the description' }).click()
    await page.getByLabel('In one line').fill('The shop')
    await page.getByLabel('README').fill('# How to\n\nRun *it*.')
    await page.getByRole('button', { name: 'Preview' }).click()
    expect(await page.getByRole('heading', { name: 'How to', level: 3 }).isVisible()).toBe(true)
    expect((await fetchRaw(scene.berth.url + path)).text()).not.toContain('The shop')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    expect(await page.locator('.description').textContent()).toBe('The shop')
    expect(await page.getByText('was written here by ada').isVisible()).toBe(true)

    await other.page.getByLabel('In one line').fill('Another shop')
    await other.page.getByRole('button', { name: 'Save' }).click()
    await other.page.getByText('This was changed meanwhile').waitFor()
    expect(await other.page.getByLabel('In one line').inputValue()).toBe('Another shop')
    expect(await other.page.locator('section', { hasText: 'What is there now' }).textContent()).toContain('# How to')
    await other.page.getByRole('button', { name: 'Save' }).click()
    await other.page.getByText('Saved.').waitFor()
    expect(await other.page.locator('.description').textContent()).toBe('Another shop')
    // A browser complains of every 409 itself.
    expect([...complaints, ...other.complaints].filter((text) => !text.includes('409'))).toEqual([])
  })

  it('is to keep what was written when it is too long to be saved', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0'])
    const { page } = await visit(scene, '/r/team/app?edit=description', asAdmin)
    const long = 'é'.repeat(32_769)
    await page.getByLabel('README').fill(long)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('A README must have at most 65536 bytes, saw 65538.').waitFor()
    expect(await page.getByLabel('README').inputValue()).toBe(long)
  })

  it('is to read hostile descriptions: nothing of them runs, is loaded, or breaks the policy of the page', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0'])
    const readme = hostileLines.join('\n\n')
    const headers = { ...admin, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'team/app', short: '<script>hit()</script>', readme })
    const put = await fetchRaw(`${scene.berth.url}/api/v1/description`, { method: 'PUT', headers, body })
    expect(put.status).toBe(200)
    const page = await (await browser.newContext(asAdmin)).newPage()
    const tab = new Tab(page)
    const elsewhere: string[] = []
    page.on('request', (request) => !request.url().startsWith(scene.berth.url) && elsewhere.push(request.url()))
    await page.addInitScript('window.hits = 0; window.hit = () => window.hits++')
    for (const path of ['/r/team/app', '/', '/search?q=team', '/r/team/app?edit=description']) {
      await page.goto(scene.berth.url + path)
      for (const button of await page.locator('.markdown a, summary').all()) await button.hover()
      expect([path, await page.evaluate('window.hits')]).toEqual([path, 0])
    }
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview').waitFor()
    expect([await page.evaluate('window.hits'), elsewhere, tab.complaints]).toEqual([0, [], []])
    expect(await page.locator('.markdown').locator('img, script, style, form, input, iframe, svg').count()).toBe(0)
  })

  it('is to make a repository public', async () => {
    const scene = await startScene({ access: { user: { username: 'ada', password } } })
    await pushApplication(scene.berth, ['1.0'])
    const everybody = async () => (await fetchRaw(`${scene.berth.url}/r/team/app`)).status
    expect(await everybody()).toBe(401)
    const { page } = await visit(scene, '/r/team/app', asAdmin)
    await page.getByRole('button', { name: 'Make it public' }).click()
    await page.getByText('Public: everybody may pull it.').waitFor()
    await expect.poll(everybody, { timeout: 5_000 }).toBe(200)
  })

  it('is nothing of this for those who may not: no button is shown, and no form of theirs is taken', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0'])
    const { page } = await visit(scene, '/r/team/app/t/1.0')
    expect(await page.getByRole('button').allTextContents()).toEqual(['Copy'])
    expect(await page.getByRole('link', { name: 'Cache' }).count()).toBe(0)
  })

  it('works without scripts: search, sort, filter, and delete', async () => {
    const scene = await startScene()
    await pushApplication(scene.berth, ['1.0', '2.0'])
    const { page } = await visit(scene, '/r/team/app', { ...asAdmin, javaScriptEnabled: false })
    await page.getByLabel('Filter tags').fill('2')
    await page.keyboard.press('Enter')
    await page.getByText('1 tag', { exact: true }).waitFor()
    await page.getByRole('rowheader').getByRole('link', { name: '2.0' }).click()
    await page.getByRole('button', { name: 'Delete this tag' }).click()
    await page.getByText('Deleted.').waitFor()
  })
})

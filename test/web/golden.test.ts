import { format } from 'prettier'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { admin, allPages, startOldScene, type Scene } from '../helpers/pages.ts'

describe('the HTML of each page (golden)', () => {
  let scene: Scene
  beforeAll(async () => void (scene = await startOldScene()))
  afterAll(() => scene?.stop())

  it.each(allPages)('$name', async ({ name, path, login }) => {
    const get = async () => (await fetchRaw(scene.berth.url + path(scene), login ? { headers: admin } : {})).text()
    await expect.poll(get, { timeout: 20_000 }).not.toMatch(/being read/)
    const html = await format(constant(await get(), scene), { parser: 'html', printWidth: 120 })
    await expect(html).toMatchFileSnapshot(`../golden/pages/${name}.html`)
  })
})

/** Without what differs from run to run. */
function constant(html: string, { berth, upstream }: Scene): string {
  return (
    html
      .replaceAll(berth.host, 'berth.example')
      .replaceAll(upstream.host, 'upstream.example')
      .replace(/(\/assets\/\w+)\.\w{12}\./g, '$1.HASH.')
      .replace(/(name="token" value=)"[^"]+"/g, '$1"TOKEN"')
      .replace(/(name="id" value=)"[^"]+"/g, '$1"TOKEN-ID"')
      // When something is tried next is spread by chance.
      .replace(/<time [^>]+>in a moment/g, '<time>in a moment')
      .replace(/[\d.]+ \w+ free on the disk/, '42 GiB free on the disk')
  )
}

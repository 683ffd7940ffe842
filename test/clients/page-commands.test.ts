import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { helmChart } from '../helpers/artifacts.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startHosting } from '../helpers/push.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

// What the pages say to type, typed; and what clients push as descriptions, as the pages show it.

/** The pull command of a page, as its words. */
async function commandOf(url: string): Promise<[program: string, ...args: string[]]> {
  const page = (await fetchRaw(url)).text()
  return /data-copy="([^"]+)"/.exec(page)![1]!.split(' ') as [string, ...string[]]
}

describeTool('oras', { tools: ['oras'] }, () => {
  const readmeOf = async (url: string) => {
    return ((await fetchRaw(`${url}/api/v1/description?name=team/app`)).json() as { readme: string }).readme
  }

  it('pulls what the page of an artifact says, whose README is on that page', async () => {
    const { url, host } = await startHosting()
    const [folder, out] = [makeFolder({ 'README.md': '# A greeting\n', 'hello.txt': 'hello\n' }), makeFolder()]
    const files = ['hello.txt:text/plain', 'README.md:text/markdown']
    await runTool('oras', ['push', '--plain-http', `${host}/team/app:1.0`, ...files], { cwd: folder })
    expect(await readmeOf(url)).toBe('# A greeting')
    const [program, ...args] = await commandOf(`${url}/r/team/app`)
    await runTool(program, args, { cwd: out })
    expect(existsSync(join(out, 'hello.txt'))).toBe(true)
  })

  it('attaches a README to what is there', async () => {
    const { url, host } = await startHosting()
    const folder = makeFolder({ 'README.md': '# Attached\n', 'hello.txt': 'hello\n' })
    const oras = (...args: string[]) => runTool('oras', args, { cwd: folder })
    await oras('push', '--plain-http', `${host}/team/app:1.0`, 'hello.txt:text/plain')
    expect(await readmeOf(url)).toBe('')
    const artifact = ['--artifact-type', 'text/markdown', `${host}/team/app:1.0`, 'README.md:text/markdown']
    await oras('attach', '--plain-http', ...artifact)
    expect(await readmeOf(url)).toBe('# Attached')
  })
})

describeTool('helm', { tools: ['helm'] }, () => {
  it('pulls what the page of a chart says', async () => {
    const upstream = await startUpstream({ content: { 'charts/hello': helmChart('hello', '0.1.0') } })
    const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url }] })
    await fetchRaw(`${berth.url}/v2/ghcr.io/charts/hello/manifests/0.1.0`)
    const out = makeFolder()
    for (const page of ['/r/ghcr.io/charts/hello', '/r/ghcr.io/charts/hello/t/0.1.0']) {
      const [program, ...args] = await commandOf(berth.url + page)
      await runTool(program, [...args, '--destination', out], { env: { HOME: out, HELM_CACHE_HOME: out } })
    }
    expect(readdirSync(out)).toContain('hello-0.1.0.tgz')
  })
})

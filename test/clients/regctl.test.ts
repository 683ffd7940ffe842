import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { partsOfLayout, platform } from '../helpers/image-parts.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('regctl, with the registry in the name', { tools: ['regctl', ...imageTools] }, () => {
  testPulls((berth) => newRegctl(berth.host))
})

function newRegctl(host: string): Client {
  const folder = makeFolder()
  const pull = async (reference: string): Promise<string[]> => {
    const layout = join(makeFolder(), 'layout')
    const from = ['--platform', platform, `${host}/docker.io/${reference}`]
    const args = ['--host', `reg=${host},tls=disabled`, 'image', 'copy', ...from, `ocidir://${layout}:copied`]
    await runTool('regctl', args, { env: { HOME: folder } })
    return (await partsOfLayout(layout)).diffIds
  }
  return { pull }
}

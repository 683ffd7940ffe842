import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { partsOfLayout, platform } from '../helpers/image-parts.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('crane, with the registry in the name', { tools: ['crane', ...imageTools] }, () => {
  testPulls((berth) => newCrane(berth.host))
})

function newCrane(host: string): Client {
  const folder = makeFolder()
  const pull = async (reference: string): Promise<string[]> => {
    const layout = join(makeFolder(), 'layout')
    const args = ['pull', '--format=oci', `--platform=${platform}`, `${host}/docker.io/${reference}`, layout]
    await runTool('crane', args, { env: { HOME: folder } })
    return (await partsOfLayout(layout)).diffIds
  }
  return { pull }
}

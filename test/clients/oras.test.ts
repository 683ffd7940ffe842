import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { partsOfLayout, platform } from '../helpers/image-parts.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('oras, with the registry in the name', { tools: ['oras', ...imageTools] }, () => {
  testPulls((berth) => newOras(berth.host))
})

function newOras(host: string): Client {
  const folder = makeFolder()
  const pull = async (reference: string): Promise<string[]> => {
    const layout = join(makeFolder(), 'layout')
    const from = ['--from-plain-http', '--platform', platform, `${host}/docker.io/${reference}`]
    await runTool('oras', ['copy', ...from, '--to-oci-layout', `${layout}:copied`], { env: { HOME: folder } })
    return (await partsOfLayout(layout)).diffIds
  }
  return { pull }
}

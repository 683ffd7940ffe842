import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { writeRegistriesConf } from '../helpers/registries-conf.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { partsOfLayout } from '../helpers/image-parts.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('skopeo with a mirror in registries.conf', { tools: ['skopeo', ...imageTools] }, () => {
  testPulls((berth) => newSkopeo(berth.host))
})

function newSkopeo(host: string): Client {
  const folder = makeFolder()
  // This skopeo does not read CONTAINERS_REGISTRIES_CONF.
  const settings = ['--registries-conf', writeRegistriesConf(folder, host), '--insecure-policy']
  const pull = async (reference: string): Promise<string[]> => {
    const layout = join(makeFolder(), 'layout')
    await runTool('skopeo', [...settings, 'copy', '--quiet', `docker://docker.io/${reference}`, `oci:${layout}`])
    return (await partsOfLayout(layout)).diffIds
  }
  return { pull }
}

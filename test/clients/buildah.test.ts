import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { writeRegistriesConf } from '../helpers/registries-conf.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('buildah with a mirror in registries.conf', { tools: ['buildah', ...imageTools], root: true }, () => {
  testPulls((berth) => newBuildah(berth.host))
})

function newBuildah(host: string): Client {
  const folder = makeFolder()
  const env = { CONTAINERS_REGISTRIES_CONF: writeRegistriesConf(folder, host), HOME: folder }
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  const buildah = async (...args: string[]): Promise<string> =>
    (await runTool('buildah', [...storage, ...args], { env })).stdout

  const pull = async (reference: string): Promise<string[]> => {
    const name = `docker.io/${reference}`
    await buildah('pull', '--quiet', name)
    const config = await buildah('inspect', '--type=image', '--format={{.Config}}', name)
    return (JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids
  }
  return { pull }
}

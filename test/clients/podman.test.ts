import { join } from 'node:path'
import { makeFolder } from '../helpers/folder.ts'
import { writeRegistriesConf } from '../helpers/registries-conf.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('podman with a mirror in registries.conf', { tools: ['podman', ...imageTools], root: true }, () => {
  testPulls((berth) => newPodman(berth.host))
})

function newPodman(host: string): Client {
  const folder = makeFolder()
  const env = { CONTAINERS_REGISTRIES_CONF: writeRegistriesConf(folder, host), HOME: folder }
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')]
  const podman = async (...args: string[]): Promise<string> =>
    (await runTool('podman', [...storage, '--storage-driver', 'vfs', ...args], { env })).stdout

  const pull = async (reference: string): Promise<string[]> => {
    const name = `docker.io/${reference}`
    await podman('pull', '--quiet', name)
    return JSON.parse(await podman('image', 'inspect', '--format={{json .RootFS.Layers}}', name)) as string[]
  }
  return { pull }
}

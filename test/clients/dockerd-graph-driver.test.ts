import { expect, it } from 'vitest'
import { startDocker } from '../helpers/docker.ts'
import { describeTool } from '../helpers/tools.ts'
import { imageTools, startScene, testPulls, type StartClient } from '../suites/client.ts'
import type { Docker } from '../helpers/docker.ts'

const tools = ['dockerd', 'containerd', 'runc', 'docker', ...imageTools]
const newDocker: StartClient<Docker> = (berth) => startDocker('graph driver', berth.url)

// dockerd 20.10, as Debian has it: asks its mirror without ns=, with one Accept line per type.
describeTool('dockerd with a graph driver and Berth as registry mirror', { tools, root: true }, () => {
  testPulls(newDocker, ['layers compressed with zstd'])

  it('runs what it pulled', async () => {
    const { newClient } = await startScene(newDocker, 'library/busybox:1')
    const { docker } = await newClient()
    expect(await docker('run', '--rm', '--network=none', 'busybox:1')).toBe('hello from busybox\n')
  })
})

import { onTestFinished } from 'vitest'
import type { Client } from '../suites/client.ts'
import { startDockerd, type DockerKind } from './daemons.ts'
import { runTool } from './tools.ts'

export interface Docker extends Client {
  /** Runs the docker command against the daemon and returns what it printed. */
  docker: (...args: string[]) => Promise<string>
}

/** A new dockerd with `mirror` as its registry mirror, stopped when the running test ends. */
export async function startDocker(kind: DockerKind, mirror: string): Promise<Docker> {
  const daemon = await startDockerd(kind, mirror)
  onTestFinished(() => daemon.stop())

  const docker = async (...args: string[]): Promise<string> => {
    const env = { DOCKER_CONFIG: daemon.folder }
    return (await runTool('docker', ['-H', `unix://${daemon.socket}`, ...args], { env })).stdout
  }
  const pull = async (reference: string): Promise<string[]> => {
    await docker('pull', '--quiet', reference)
    return JSON.parse(await docker('image', 'inspect', '--format={{json .RootFS.Layers}}', reference)) as string[]
  }
  return { docker, pull }
}

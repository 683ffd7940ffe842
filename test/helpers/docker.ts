import { onTestFinished } from 'vitest'
import type { Client } from '../suites/client.ts'
import { startDockerd, type DockerKind, type Way } from './daemons.ts'
import { runTool } from './tools.ts'

export interface Docker extends Client {
  /** Runs the docker command against the daemon and returns what it printed. */
  docker: (...args: string[]) => Promise<string>
}

/** A new dockerd, stopped when the running test ends. `way`: its registry mirror, or how else it gets to registries. */
export async function startDocker(kind: DockerKind, way: string | Way): Promise<Docker> {
  const daemon = await startDockerd(kind, typeof way === 'string' ? { mirror: way } : way)
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

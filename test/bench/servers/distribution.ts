import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findTool } from '../../helpers/tools.ts'
import { answers, freePort, run, type Core } from './process.ts'

const registry = findTool('registry')

export const distributionMissing = registry ? undefined : 'Distribution is not installed (bash test/setup.sh does it)'

/** Distribution 3, the registry that most others are made of, on its file system driver and without an access log. */
export async function startDistribution(
  folder: string,
  core: Core,
): Promise<{ url: string; cpuSeconds(): number; stop(): Promise<void> }> {
  const home = await mkdtemp(path.join(folder, 'distribution-'))
  const port = await freePort()
  const file = path.join(home, 'config.yml')
  const output = path.join(home, 'output')
  await writeFile(file, configuration(home, port))
  // Its tracing looks for a collector on the network otherwise.
  const env = { OTEL_TRACES_EXPORTER: 'none' }
  const server = run([registry!, 'serve', file], { core, output, env })
  const url = `http://127.0.0.1:${port}`
  await answers(`${url}/v2/`, output)
  return {
    url,
    cpuSeconds: () => server.cpuSeconds(),
    async stop() {
      await server.stop()
      await rm(home, { recursive: true })
    },
  }
}

function configuration(home: string, port: number): string {
  return `
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${path.join(home, 'data')} }
  cache: { blobdescriptor: inmemory }
http: { addr: 127.0.0.1:${port} }
`
}

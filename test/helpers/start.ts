import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/config.ts'
import { startServer } from '../../src/server.ts'
import { atTestEnd } from './cleanup.ts'
import { makeFolder } from './folder.ts'

export interface BerthSettings {
  upstreams: Record<string, unknown>[]
  /** Any other settings, as in the YAML file. */
  [key: string]: unknown
}

export interface RunningBerth {
  readonly url: string
  /** Address and port. */
  readonly host: string
  /** Its data folder. */
  readonly data: string
  stop(): Promise<void>
}

/** Berth in this process, with its data in a new folder and on a port of its own; stopped when the running test ends. */
export async function startBerth(settings: BerthSettings): Promise<RunningBerth> {
  const folder = makeFolder()
  const data = join(folder, 'data')
  const file = join(folder, 'berth.yaml')
  const rest = { listen: '127.0.0.1:0', log: { level: 'silent' }, storage: { data } }
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...rest, ...settings }))
  const server = await startServer(loadConfig({ file, env: {} }))
  await atTestEnd(() => server.stop())
  return { url: server.url, host: new URL(server.url).host, data, stop: () => server.stop() }
}

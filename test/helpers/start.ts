import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/config.ts'
import { startServer, type Server } from '../../src/server.ts'
import { atTestEnd } from './cleanup.ts'

/** Settings as they stand in the YAML file, and what only a test sets. */
export interface BerthOptions {
  upstreams?: readonly UpstreamSettings[]
  /** A folder of the test's own, kept; else a new one, removed in the end. */
  data?: string
  /** The time that tags and tokens age by. */
  clock?: { now(): number }
  [key: string]: unknown
}

export interface UpstreamSettings {
  name: string
  url?: string
  [key: string]: unknown
}

export interface Berth {
  readonly url: string
  /** `127.0.0.1:12345`. */
  readonly host: string
  /** The data folder. */
  readonly data: string
  readonly server: Server
  /** May be called again. Started in a test, Berth leaves its data until the test's end; started elsewhere, it removes them here. */
  stop(): Promise<void>
}

/**
 * Berth in this process, on a port of its own, through the same front doors as `berth serve`: settings are checked as if
 * they stood in a file. Stopped when the running test ends; one started in beforeAll is stopped by its `stop()`.
 *
 *     const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url, freshness: 'never' }] })
 */
export async function startBerth({ data, clock, ...settings }: BerthOptions = {}): Promise<Berth> {
  const own = mkdtempSync(join(tmpdir(), 'berth-test-'))
  const folder = data ?? join(own, 'data')
  const server = await startServer(configOf(own, folder, settings), clock && { now: () => clock.now() })
  let stopped: Promise<void> | undefined
  const remove = () => rmSync(own, { recursive: true, force: true })
  const inTest = await atTestEnd(async () => {
    await (stopped ??= server.stop())
    remove()
  })
  return {
    url: server.url,
    host: new URL(server.url).host,
    data: folder,
    server,
    stop: async () => {
      await (stopped ??= server.stop())
      if (!inTest) remove()
    },
  }
}

function configOf(folder: string, data: string, settings: Record<string, unknown>) {
  const file = join(folder, 'berth.yaml')
  const { storage, ...others } = settings
  const all = {
    listen: '127.0.0.1:0',
    log: { level: 'silent' },
    shutdownGrace: '200ms',
    storage: { data, minFree: 0, ...(storage as object) },
    ...others,
  }
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(all))
  return loadConfig({ file, env: {} })
}

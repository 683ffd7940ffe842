import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Digest } from '../../../src/oci/digest.ts'
import { Layout } from '../../../src/store/layout.ts'
import { answers, freePort, run, type Core } from './process.ts'

const main = new URL('../../../dist/main.js', import.meta.url).pathname

export interface Berth {
  readonly url: string
  /** Milliseconds from the start of the process to its first answer. */
  readonly startedIn: number
  /** Whether it keeps a finished blob. */
  keeps(digest: string): boolean
  /** CPU seconds spent so far, all threads. */
  cpuSeconds(): number
  /** The most memory it ever had resident, in bytes. */
  mostMemory(): Promise<number>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface BerthOptions {
  /** Where its data folder and its log go. */
  folder: string
  upstream: string
  core: Core
  env?: Record<string, string>
}

/** Starts the built Berth, as npm start does, with empty data, its log at level info in a file as an operator would have it. */
export async function startBerth({ folder, upstream, core, env = {} }: BerthOptions): Promise<Berth> {
  const home = await mkdtemp(path.join(folder, 'berth-'))
  const layout = new Layout(path.join(home, 'data'))
  const output = path.join(home, 'log')
  const port = await freePort()
  const started = performance.now()
  // BENCH_NODE_OPTIONS=--cpu-prof and the like reach Berth alone.
  const nodeOptions = (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean)
  const berth = run([process.execPath, '--max-semi-space-size=8', ...nodeOptions, main, 'serve'], {
    core,
    output,
    env: {
      BERTH_LISTEN: `127.0.0.1:${port}`,
      BERTH_STORAGE_DATA: layout.root,
      BERTH_STORAGE_MIN_FREE: '1MiB',
      BERTH_UPSTREAMS_DOCKER_IO_URL: upstream,
      BERTH_SHUTDOWN_GRACE: '0s',
      ...env,
    },
  })
  const url = `http://127.0.0.1:${port}`
  await answers(`${url}/healthz`, output)
  const startedIn = performance.now() - started
  return {
    url,
    startedIn,
    keeps: (digest) => existsSync(layout.blob(digest as Digest)),
    cpuSeconds: () => berth.cpuSeconds(),
    mostMemory: () => mostMemory(berth.pid),
    async stop() {
      await berth.stop()
      await rm(home, { recursive: true })
    },
  }
}

async function mostMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024
}

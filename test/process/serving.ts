import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { startBerth, startBuiltBerth, type BerthProcess } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import type { Upstream } from '../helpers/upstream.ts'

/** A folder with a configuration that makes the test upstream Docker Hub. */
export function makeHome(upstream: Upstream, settings: Record<string, unknown> = {}): string {
  const config = {
    listen: '127.0.0.1:0',
    storage: { data: './data', minFree: 0 },
    upstreams: [{ name: 'docker.io', url: upstream.url }],
    ...settings,
  }
  // JSON is YAML.
  return makeFolder({ 'config/berth.yaml': JSON.stringify(config) })
}

/** A folder with a configuration in which everybody may push to the namespace `team`. */
export function makeHostingHome(data = './data'): string {
  const settings = {
    listen: '127.0.0.1:0',
    storage: { data, minFree: 0 },
    access: { anonymous: 'push' },
    hosted: { namespaces: ['team'] },
  }
  return makeFolder({ 'config/berth.yaml': JSON.stringify(settings) })
}

export interface Serving {
  readonly berth: BerthProcess
  readonly url: string
  kill: () => Promise<void>
}

/** `berth serve` in this folder; ready when this resolves. */
export async function serve(home: string, { built = false } = {}): Promise<Serving> {
  const berth = (built ? startBuiltBerth : startBerth)(['serve'], home)
  const [, url = ''] = await berth.printed(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
  return {
    berth,
    url,
    kill: async () => {
      berth.child.kill('SIGKILL')
      await berth.ended
    },
  }
}

export const partialFiles = (home: string): string[] => readdirSync(path.join(home, 'data', 'partial'))

/** Bytes that the record of a partial blob says are there; 0 without one. */
export function recordedBytes(home: string, digest: string): number {
  const file = path.join(home, 'data', 'partial', `${digest.replace(':', '-')}.json`)
  if (!existsSync(file)) return 0
  const ranges = JSON.parse(readFileSync(file, 'utf8')) as { start: number; end: number }[]
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0)
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const [, kibibytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

/** Descriptors that a process has open on files below a folder. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

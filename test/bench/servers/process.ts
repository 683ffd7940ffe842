import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const pinning = availableParallelism() > 1 && isInstalled('taskset')

/** `server` is what is measured, `load` what makes it work; fills, which use several threads, get `all`. */
export type Core = 'server' | 'load' | 'all'

/** Those of the machine: what this process may use is fewer, once it has pinned itself. */
const coresOf: Record<Core, string> = { server: '0', load: '1', all: `0-${cpus().length - 1}` }

export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

export function pinned(core: Core, command: string[]): string[] {
  if (!pinning) return command
  // Said outright for `all` too: a child has its parent's core otherwise, and this process is on that of the load.
  return ['taskset', '-c', coresOf[core], ...command]
}

/** Moves this process, which is the load, to its core, and what it starts with it. */
export function pinSelf(core: 'load' | 'all' = 'load'): void {
  pin(process.pid, core)
}

/** Moves all threads of a process. */
export function pin(pid: number, core: 'load' | 'all'): void {
  if (pinning) spawnSync('taskset', ['-a', '-c', '-p', coresOf[core], String(pid)])
}

/** A Node script of the bench as a command; TypeScript is loaded by tsx. */
export function script(file: string, ...args: string[]): string[] {
  const path = new URL(file, import.meta.url).pathname
  return [process.execPath, '--import', import.meta.resolve('tsx'), path, ...args]
}

export interface Running {
  readonly pid: number
  /** CPU seconds spent so far, all threads. */
  cpuSeconds(): number
  stop(): Promise<void>
}

/** Processes still running; ended with the bench however it ends. */
const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

export interface RunOptions {
  core: Core
  env?: Record<string, string>
  /** Gets everything the process prints. */
  output: string
}

export function run(command: string[], { core, env = {}, output }: RunOptions): Running {
  const [file, ...args] = pinned(core, command)
  const out = openSync(output, 'a')
  const child = spawn(file!, args, { stdio: ['ignore', out, out], env: { PATH: process.env.PATH, ...env } })
  closeSync(out)
  running.add(child)
  const ended = once(child, 'exit').then(() => running.delete(child))
  return {
    pid: child.pid!,
    cpuSeconds: () => cpuSeconds(child.pid!),
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(late)
    },
  }
}

/** Linux counts in hundredths of a second, for every architecture that Node runs on. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when a URL answers 200. Rejects after ten seconds, with what its server printed. */
export async function answers(url: string, output: string): Promise<void> {
  const started = performance.now()
  for (;;) {
    const ok = await fetch(url).then(
      async (answer) => (await answer.arrayBuffer(), answer.ok),
      () => false,
    )
    if (ok) return
    if (performance.now() - started > 10_000) {
      throw new Error(`${url} must answer within 10 s; its server printed:\n${readFileSync(output, 'utf8')}`)
    }
    await sleep(2)
  }
}

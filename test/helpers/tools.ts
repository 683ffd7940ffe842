import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'

// The real programs that tests drive. test/setup.sh installs them: some by Debian, some built below this folder.
const toolsFolder = process.env.BERTH_TOOLS ?? join(homedir(), '.cache', 'berth-tools')

/**
 * Where a program is, or undefined. `crane` is looked for in the tools folder and then in PATH; `containerd-2/ctr`, with a folder,
 * in that folder only, as Debian's packages have programs of the same name.
 */
export function findTool(name: string): string | undefined {
  if (name.includes('/')) return executable(join(toolsFolder, name))
  const path = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '')
  // Daemons live in sbin, which is not in everybody's PATH.
  const folders = [join(toolsFolder, 'bin'), ...path, '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => executable(join(folder, name))).find((file) => file !== undefined)
}

/** The path of a program that `describeTool` has found. */
export function toolPath(name: string): string {
  const path = findTool(name)
  if (path === undefined) throw new Error(`${name} is not installed: run bash test/setup.sh`)
  return path
}

export interface Needs {
  /** Programs, as `findTool` takes them. */
  tools: string[]
  /** Mounts and namespaces need it. */
  root?: boolean
}

/** `describe`, where what is missing makes a reported skip; in CI, where all must be there, a failure. */
export function describeTool(title: string, needs: Needs, body: () => void): void {
  const missing = needs.tools.filter((name) => findTool(name) === undefined)
  const reasons = missing.map((name) => `${name} is not installed (bash test/setup.sh does it)`)
  if (needs.root === true && process.getuid?.() !== 0) reasons.push('it must run as root')

  if (reasons.length === 0) describe(title, body)
  else
    it(title, (context) => {
      if (process.env.CI) throw new Error(reasons.join('; '))
      context.skip(reasons.join('; '))
    })
}

export interface RunOptions {
  /** Added to a bare environment: a developer's logins and settings must not decide a test. */
  env?: Record<string, string>
  cwd?: string
  /** Milliseconds. */
  deadline?: number
}

export interface Output {
  stdout: string
  stderr: string
}

/** Runs a program to its end; rejects with what it printed when it fails or takes too long. */
export async function runTool(name: string, args: string[], options: RunOptions = {}): Promise<Output> {
  const { env = {}, cwd = '/', deadline = 60_000 } = options
  const settings = { cwd, timeout: deadline, maxBuffer: 64 * 1024 * 1024, env: bareEnvironment(env) }
  return new Promise((resolve, reject) => {
    execFile(toolPath(name), args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, stderr })
      const how = error.killed ? `took more than ${deadline} ms` : `failed with ${String(error.code ?? error.signal)}`
      reject(new Error(`${name} ${args.join(' ')} ${how}\n${stdout}${stderr}`, { cause: error }))
    })
  })
}

// A client that gives Berth up would go on to the real registry. These are all Go programs, which use no proxy for loopback.
const noNetwork = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' }

/** PATH begins with `folders` of the tools folder: daemons start each other by name. */
export function bareEnvironment(extra: Record<string, string> = {}, folders: string[] = []): Record<string, string> {
  const own = folders.map((folder) => join(toolsFolder, folder))
  const path = [...own, process.env.PATH ?? '', '/usr/sbin', '/sbin'].join(':')
  return { PATH: path, HOME: '/nonexistent', LC_ALL: 'C.UTF-8', ...noNetwork, ...extra }
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK)
    return file
  } catch {
    return undefined
  }
}

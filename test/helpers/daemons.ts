import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bareEnvironment, runTool, toolPath } from './tools.ts'

/** A real dockerd or containerd with all its state in a folder of its own. */
export interface Daemon {
  /** A Unix socket. */
  readonly socket: string
  /** Its folder: free for the test's own files too. */
  readonly folder: string
  /** What it has printed. */
  log(): string
  /** Ends it, and removes its mounts and its folder. */
  stop(): Promise<void>
}

export type DockerKind = 'graph driver' | 'containerd store'

/** What a dockerd goes through on its way to a registry: a mirror of docker.io, by its URL, or what its environment says. */
export type Way = { mirror: string } | { env: Record<string, string> }

/** Debian's dockerd with the vfs graph driver, or the current one with the containerd image store; all it has is under `parent`. */
export function startDockerd(kind: DockerKind, way: Way, parent = tmpdir()): Promise<Daemon> {
  const folder = makeFolder('dockerd', parent)
  const socket = join(folder, 'docker.sock')
  const config = join(folder, 'daemon.json')
  // A file of its own keeps /etc/docker/daemon.json out.
  writeFileSync(config, '{}')
  const args = ['--config-file', config, '-H', `unix://${socket}`]
  if ('mirror' in way) args.push('--registry-mirror', way.mirror)
  args.push('--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '-p', join(folder, 'pid'))
  args.push('--bridge=none', '--iptables=false', '--ip6tables=false')
  if (kind === 'graph driver') args.push('--storage-driver=vfs')

  const tool = kind === 'graph driver' ? 'dockerd' : 'dockerd-29/dockerd'
  const path = kind === 'graph driver' ? [] : ['containerd-2']
  return startDaemon({ tool, args, path, folder, socket, isReady: answersPing, env: 'env' in way ? way.env : {} })
}

/** containerd 2 without CRI, which would want a network. */
export function startContainerd(): Promise<Daemon> {
  const folder = makeFolder('containerd')
  const socket = join(folder, 'containerd.sock')
  const config = join(folder, 'config.toml')
  writeFileSync(config, containerdConfig(folder))
  const args = [
    '--config',
    config,
    '--address',
    socket,
    '--root',
    join(folder, 'root'),
    '--state',
    join(folder, 'state'),
  ]
  return startDaemon({
    tool: 'containerd-2/containerd',
    args,
    path: ['containerd-2'],
    folder,
    socket,
    isReady: accepts,
  })
}

function containerdConfig(folder: string): string {
  const plugins = ['cri.v1.images', 'cri.v1.runtime', 'grpc.v1.cri', 'nri.v1.nri']
  const disabled = plugins.map((plugin) => `'io.containerd.${plugin}'`).join(', ')
  const optDir = `[plugins.'io.containerd.internal.v1.opt']\npath = '${join(folder, 'opt')}'\n`
  return `version = 3\ndisabled_plugins = [${disabled}]\n${optDir}`
}

/** BuildKit with runc for its steps and a network that is the machine's. */
export function startBuildkitd(): Promise<Daemon> {
  const folder = makeFolder('buildkitd')
  const socket = join(folder, 'buildkitd.sock')
  const args = ['--root', join(folder, 'root'), '--addr', `unix://${socket}`, '--containerd-worker=false']
  args.push('--oci-worker-snapshotter=native', '--oci-worker-net=host', '--cdi-disabled')
  // A file of its own keeps /etc/buildkit/buildkitd.toml out.
  const config = join(folder, 'buildkitd.toml')
  writeFileSync(config, '')
  return startDaemon({
    tool: 'buildkitd',
    args: ['--config', config, ...args],
    path: [],
    folder,
    socket,
    isReady: accepts,
  })
}

interface Launch {
  tool: string
  args: string[]
  /** Folders of the tools folder that come first in its PATH. */
  path: string[]
  folder: string
  socket: string
  isReady(socket: string): Promise<boolean>
  env?: Record<string, string>
}

async function startDaemon(launch: Launch): Promise<Daemon> {
  const { folder, socket } = launch
  const logFile = join(folder, 'log')
  const output = openSync(logFile, 'a')
  // setpriv: should the test's process die, the daemon ends too.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', toolPath(launch.tool), ...launch.args], {
    stdio: ['ignore', output, output],
    env: bareEnvironment({ HOME: folder, ...launch.env }, launch.path),
  })
  closeSync(output)

  const log = (): string => readFileSync(logFile, 'utf8')
  const stop = async (): Promise<void> => {
    await end(child)
    await unmountBelow(folder)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await waitUntilReady(launch, child)
  } catch (error) {
    const tail = log().split('\n').slice(-15).join('\n')
    await stop()
    throw new Error(`${launch.tool} did not start\n${tail}`, { cause: error })
  }
  return { socket, folder, log, stop }
}

async function waitUntilReady(launch: Launch, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await launch.isReady(launch.socket))) {
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`)
    if (Date.now() > deadline) throw new Error('it did not listen within 30 s')
    await delay(25)
  }
}

async function answersPing(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/_ping', timeout: 5_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}

async function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await exited
  clearTimeout(killer)
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const points = mounts.map((line) => line.split(' ')[1] ?? '').filter((point) => point.startsWith(`${folder}/`))
  // The last mounted first: they lie on each other.
  for (const point of points.reverse()) await runTool('umount', ['--lazy', point])
}

function makeFolder(name: string, parent = tmpdir()): string {
  return mkdtempSync(join(parent, `berth-${name}-`))
}

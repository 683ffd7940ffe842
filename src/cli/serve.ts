import { resolve } from 'node:path'
import { Command } from 'commander'
import { loadConfig, type Config } from '../config/config.ts'
import type { Server } from '../server.ts'
import { configOption } from './config-option.ts'
import { CommandError, type Io } from './io.ts'
import { startProblem } from './start-problem.ts'
import { readVersion } from './version.ts'

export function serveCommand(io: Io): Command {
  return new Command('serve')
    .description('start the registry')
    .addOption(configOption())
    .action(async ({ config: file }: { config?: string }) => serve(loadConfig({ file, env: io.env }), io))
}

/** Serves until SIGTERM or SIGINT, then lets running responses finish. A second signal ends the process at once. */
async function serve(config: Config, io: Io): Promise<void> {
  const signalled = firstSignal()
  const server = await start(config)
  io.out(greeting(config, server))
  const signal = await signalled
  io.out(`${signal}: stopping, running responses have ${config.shutdownGrace / 1000} s to finish\n`)
  await server.stop()
}

async function start(config: Config): Promise<Server> {
  // Imported here, so that the other commands need not wait for the whole server to load.
  const { startServer } = await import('../server.ts')
  try {
    return await startServer(config)
  } catch (error) {
    const problem = startProblem(error, config)
    throw problem === undefined ? error : new CommandError(problem, { cause: error })
  }
}

function greeting(config: Config, server: Server): string {
  const upstreams = config.upstreams.map(({ name, default: usual }) => (usual ? `${name} (default)` : name))
  return [
    `Berth ${readVersion()} listens on ${server.url}`,
    `  data       ${resolve(config.storage.data)}`,
    `  upstreams  ${upstreams.join(', ')}`,
    ...dockerHint(config, server).map((line, index) => `  ${index === 0 ? 'Docker   ' : '         '}  ${line}`),
    ...(server.hasAdmin ? [] : ['  users      no admin yet: berth user add NAME --admin, and docker login']),
    '',
  ].join('\n')
}

function dockerHint(config: Config, { url, hasAdmin }: Server): string[] {
  if (config.access.anonymous === 'none') {
    // dockerd answers any challenge of a mirror with the user's Docker Hub password.
    return ['not as a registry mirror: with access.anonymous: none it would send its Docker Hub login here']
  }
  const address = config.publicUrl ?? reachable(url)
  if (!hasAdmin) return ['in /etc/docker/daemon.json, then restart Docker:', `{ "registry-mirrors": ["${address}"] }`]
  // Where users log in, the bare address asks for it, and dockerd would answer with its Docker Hub login.
  return [
    'in /etc/docker/daemon.json, then restart Docker (before 28: a virtual host instead of the path, see README):',
    `{ "registry-mirrors": ["${address}/docker.io"] }`,
  ]
}

/** The URL with loopback for the wildcard address, which clients cannot dial. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

function firstSignal(): Promise<keyof typeof exitCodes> {
  return new Promise((resolve) => {
    let stopping = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(exitCodes[signal])
        stopping = true
        resolve(signal)
      })
    }
  })
}

// Which registry a command is for: the server it names, or the data folder of the settings.
import { readFile } from 'node:fs/promises'
import { Option, InvalidArgumentError, type Command } from 'commander'
import { loadConfig } from '../config/config.ts'
import { Api, type Way } from './api.ts'
import { configOption } from './config-option.ts'
import { CommandError, type Io } from './io.ts'
import { openLocal } from './local.ts'
import { Logins, type StoredLogin } from './logins.ts'
import { parseServer } from './server-address.ts'

export interface Target {
  server?: URL
  ca?: string
  config?: string
}

/** Gives a command the options that say which registry it is for. */
export function targeted(command: Command): Command {
  return command
    .addOption(
      new Option('--server <url>', 'a server elsewhere, by its admin API (env: BERTH_SERVER)')
        .argParser(serverArgument)
        .conflicts('config'),
    )
    .addOption(caOption())
    .addOption(configOption())
}

export function caOption(): Option {
  return new Option('--ca <file>', "a PEM file: the authority of the server's certificate, beside the usual ones")
}

export function serverArgument(text: string): URL {
  const url = parseServer(text)
  if (typeof url === 'string') throw new InvalidArgumentError(`It ${url}.`)
  return url
}

/** Opens the admin API that a command is for, and closes it behind the work. */
export async function withApi<T>(target: Target, io: Io, work: (api: Api) => Promise<T>): Promise<T> {
  const way = await wayTo(target, io)
  try {
    return await work(new Api(way))
  } finally {
    await way.close()
  }
}

async function wayTo(target: Target, io: Io): Promise<Way> {
  // A file that is named here means more than a server that the environment names.
  const server = target.server ?? (target.config === undefined ? serverOfEnvironment(io.env) : undefined)
  if (!server) return openLocal(loadConfig({ file: target.config, env: io.env }), io.env)
  const login = await new Logins(io.env).find(server)
  const token = (await tokenOfEnvironment(io.env)) ?? tokenOf(server, login)
  const { openRemote } = await import('./remote.ts')
  return openRemote({ server, token, ca: target.ca ?? login?.ca })
}

export function serverOfEnvironment({ BERTH_SERVER: text }: NodeJS.ProcessEnv): URL | undefined {
  if (!text) return undefined
  const url = parseServer(text)
  if (typeof url === 'string')
    throw new CommandError(`BERTH_SERVER: ${url}, saw ${JSON.stringify(text)}`, { exitCode: 2 })
  return url
}

async function tokenOfEnvironment(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { BERTH_TOKEN: token, BERTH_TOKEN_FILE: file } = env
  const name = token ? 'BERTH_TOKEN' : 'BERTH_TOKEN_FILE'
  if (!token && !file) return undefined
  const text = token || (await readFile(file!, 'utf8').catch(unreadable))
  // What is no token must not become a header of its own.
  if (/^[\w.~+/=-]+$/.test(text.trim())) return text.trim()
  throw new CommandError(`${name}: must be a token, saw something else`, { exitCode: 2 })
}

function unreadable(cause: Error): never {
  throw new CommandError(`BERTH_TOKEN_FILE: must be a file that can be read, saw ${cause.message}`, {
    cause,
    exitCode: 2,
  })
}

function tokenOf({ origin }: URL, login: StoredLogin | undefined): string | undefined {
  if (!login || Date.now() < login.expiresAt) return login?.token
  throw new CommandError(`the login at ${origin} is over: berth login ${origin}`)
}

import path from 'node:path'
import { Command } from 'commander'
import { accounts } from '../admin/operations.ts'
import { Api } from './api.ts'
import { askLine, askPassword } from './ask-password.ts'
import { day } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { Logins } from './logins.ts'
import { caOption, serverArgument, serverOfEnvironment } from './target.ts'

interface Options {
  username?: string
  passwordFile?: string
  ca?: string
}

export function loginCommand(io: Io): Command {
  return new Command('login')
    .description(
      'log in to a server elsewhere, for --server URL: a token is kept in ~/.config/berth, never the password',
    )
    .argument('<url>', 'such as https://registry.example.com', serverArgument)
    .option('--username <name>', 'who you are there; else it is asked for')
    .option('--password-file <file>', 'a file with the password; else it is asked for, or read from stdin')
    .addOption(caOption())
    .action((server: URL, options: Options) => login(server, options, io))
}

export function logoutCommand(io: Io): Command {
  return new Command('logout')
    .description('forget the login at a server')
    .argument('[url]', 'the server; else BERTH_SERVER, or the only one there is a login for', serverArgument)
    .action(async (server: URL | undefined) => {
      const logins = new Logins(io.env)
      const left = server ?? serverOfEnvironment(io.env) ?? (await onlyServer(logins))
      if (!(await logins.forget(left))) throw new CommandError(`there is no login at ${left.origin}`)
      io.out(`logged out of ${left.origin}\n`)
    })
}

async function login(server: URL, { username, passwordFile, ca }: Options, io: Io): Promise<void> {
  const name = username ?? (await askLine(io, 'User name: '))
  const password = await askPassword(io, passwordFile, { isNew: false })
  const { openRemote } = await import('./remote.ts')
  const way = await openRemote({ server, token: undefined, ca })
  try {
    // Where the name or the password is wrong, another login is no help.
    const api = new Api({ ...way, loginHint: '' })
    const { user, token, expiresAt } = await api.call(accounts.logIn, { username: name, password })
    const kept = { user, token, expiresAt, ...(ca !== undefined && { ca: path.resolve(ca) }) }
    await new Logins(io.env).keep(server, kept)
    io.out(`logged in as ${user} until ${day(expiresAt)}: berth COMMAND --server ${server.origin}, or BERTH_SERVER\n`)
  } finally {
    await way.close()
  }
}

async function onlyServer(logins: Logins): Promise<URL> {
  const [only, ...others] = await logins.servers()
  if (only === undefined) throw new CommandError('there is no login to forget')
  if (others.length === 0) return new URL(only)
  throw new CommandError(`there are logins at ${[only, ...others].join(', ')}: say which`, { exitCode: 2 })
}

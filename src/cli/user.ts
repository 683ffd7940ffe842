import { Command } from 'commander'
import { accounts } from '../admin/operations.ts'
import { askPassword } from './ask-password.ts'
import { columns, day, json } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  oidc?: string[]
  admin?: boolean
  passwordFile?: string
  json?: boolean
}

const passwordFile = [
  '--password-file <file>',
  'a file with the password; else it is asked for, or read from stdin',
] as const

export function userCommand(io: Io): Command {
  const command = new Command('user').description(
    'add, list and remove users, change their passwords, and say whose logins elsewhere are',
  )
  targeted(command.command('add <name>'))
    .description('add a user, whose namespace is hosted here from then on')
    .option('--admin', 'may do everything')
    .option(...passwordFile)
    .action(async (name: string, { admin = false, passwordFile, ...target }: Options) => {
      const password = await askPassword(io, passwordFile)
      await withApi(target, io, (api) => api.call(accounts.addUser, { name, password, admin }))
      io.out(`${name} was added: docker login HOST, docker push HOST/${name}/IMAGE\n`)
    })
  targeted(command.command('list'))
    .description('print the users, one a line')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const all = await withApi(options, io, (api) => api.call(accounts.listAccounts, {}))
      const users = all.filter(({ kind }) => kind === 'user')
      const rows = users.map(({ name, admin, createdAt, links }) => {
        const logins = links.map(({ provider, subject }) => `${provider}:${subject}`)
        return [name, admin ? 'admin' : '', day(createdAt), logins.join(' ')]
      })
      io.out(options.json ? json(users) : columns(rows))
    })
  targeted(command.command('remove <name>'))
    .description('remove a user with its tokens, memberships and grants; its images stay')
    .action(async (name: string, options: Options) => {
      await withApi(options, io, (api) => api.call(accounts.removeAccount, { name, kind: 'user' }))
      io.out(`${name} was removed; what was pushed to ${name}/ stays\n`)
    })
  targeted(command.command('password <name>'))
    .description('change the password of a user; who is logged in with the old one is out within seconds')
    .option(...passwordFile)
    .action(async (name: string, { passwordFile, ...target }: Options) => {
      const password = await askPassword(io, passwordFile)
      await withApi(target, io, (api) => api.call(accounts.setPassword, { name, password }))
      io.out(`the password of ${name} was changed\n`)
    })
  linkCommands(command, io)
  return command
}

function linkCommands(command: Command, io: Io): void {
  const oidc = [
    '--oidc <provider and subject...>',
    'a provider of access.oidc, and what it calls who logs in there (sub)',
  ] as const
  targeted(command.command('link <name>'))
    .description('say that a login at an OpenID provider is this user')
    .requiredOption(...oidc)
    .action(async (user: string, { oidc, ...target }: Options) => {
      const { provider, subject } = loginOf(oidc)
      await withApi(target, io, (api) => api.call(accounts.linkLogin, { user, provider, subject }))
      io.out(`${subject} of ${provider} is ${user} here\n`)
    })
  targeted(command.command('unlink <name>'))
    .description('say that it is no more; one that is unlinked may come back as a new user')
    .requiredOption(...oidc)
    .action(async (user: string, { oidc, ...target }: Options) => {
      const { provider, subject } = loginOf(oidc)
      await withApi(target, io, (api) => api.call(accounts.unlinkLogin, { user, provider, subject }))
      io.out(`${subject} of ${provider} is no more ${user} here\n`)
    })
}

/** Throws CommandError. */
function loginOf(given: readonly string[] = []): { provider: string; subject: string } {
  const [provider, subject, ...more] = given
  if (provider !== undefined && subject !== undefined && more.length === 0) return { provider, subject }
  throw new CommandError(`--oidc must be PROVIDER SUBJECT, saw ${JSON.stringify(given.join(' '))}`)
}

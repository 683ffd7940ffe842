import { Command } from 'commander'
import { columns, day, withAccounts } from './accounts.ts'
import { askPassword } from './ask-password.ts'
import { configOption } from './config-option.ts'
import { CommandError, type Io } from './io.ts'

interface Options {
  config?: string
  oidc?: string[]
  admin?: boolean
  passwordFile?: string
}

const passwordFile = [
  '--password-file <file>',
  'a file with the password; else it is asked for, or read from stdin',
] as const

export function userCommand(io: Io): Command {
  const command = new Command('user').description(
    'add, list and remove users, change their passwords, and say whose logins elsewhere are',
  )
  command
    .command('add <name>')
    .description('add a user, whose namespace is hosted here from then on')
    .option('--admin', 'may do everything')
    .option(...passwordFile)
    .addOption(configOption())
    .action(async (name: string, { config, admin = false, passwordFile }: Options) => {
      const password = await askPassword(io, passwordFile)
      await withAccounts(config, io, (accounts) => accounts.addUser(name, password, admin))
      io.out(`${name} was added: docker login HOST, docker push HOST/${name}/IMAGE\n`)
    })
  command
    .command('list')
    .description('print the users, one a line')
    .addOption(configOption())
    .action(({ config }: Options) =>
      withAccounts(config, io, async (_, { access }, { access: { oidc } }) => {
        const { accounts, identities } = await access.load()
        const linked = (user: string) =>
          identities
            .filter((one) => one.user === user && !one.removed)
            .map(({ issuer, subject }) => `${oidc.find((one) => one.issuer === issuer)?.name ?? issuer}:${subject}`)
        const users = accounts.filter(({ kind }) => kind === 'user')
        const rows = users.map(({ name, admin, createdAt }) => {
          return [name, admin ? 'admin' : '', day(createdAt), linked(name).join(' ')]
        })
        io.out(columns(rows))
      }),
    )
  command
    .command('remove <name>')
    .description('remove a user with its tokens, memberships and grants; its images stay')
    .addOption(configOption())
    .action(async (name: string, { config }: Options) => {
      await withAccounts(config, io, (accounts) => accounts.remove(name, 'user'))
      io.out(`${name} was removed; what was pushed to ${name}/ stays\n`)
    })
  command
    .command('password <name>')
    .description('change the password of a user; who is logged in with the old one is out within seconds')
    .option(...passwordFile)
    .addOption(configOption())
    .action(async (name: string, { config, passwordFile }: Options) => {
      const password = await askPassword(io, passwordFile)
      await withAccounts(config, io, (accounts) => accounts.setPassword(name, password))
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
  command
    .command('link <name>')
    .description('say that a login at an OpenID provider is this user')
    .requiredOption(...oidc)
    .addOption(configOption())
    .action(async (name: string, { config, oidc }: Options) => {
      const [provider, subject] = loginOf(oidc)
      await withAccounts(config, io, (accounts) => accounts.link(name, provider, subject))
      io.out(`${subject} of ${provider} is ${name} here\n`)
    })
  command
    .command('unlink <name>')
    .description('say that it is no more; one that is unlinked may come back as a new user')
    .requiredOption(...oidc)
    .addOption(configOption())
    .action(async (name: string, { config, oidc }: Options) => {
      const [provider, subject] = loginOf(oidc)
      await withAccounts(config, io, (accounts) => accounts.unlink(name, provider, subject))
      io.out(`${subject} of ${provider} is no more ${name} here\n`)
    })
}

/** Throws CommandError. */
function loginOf(given: readonly string[] = []): [provider: string, subject: string] {
  const [provider, subject, ...more] = given
  if (provider !== undefined && subject !== undefined && more.length === 0) return [provider, subject]
  throw new CommandError(`--oidc must be PROVIDER SUBJECT, saw ${JSON.stringify(given.join(' '))}`)
}

import { Command } from 'commander'
import { columns, day, withAccounts } from './accounts.ts'
import { askPassword } from './ask-password.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'

interface Options {
  config?: string
  admin?: boolean
  passwordFile?: string
}

const passwordFile = [
  '--password-file <file>',
  'a file with the password; else it is asked for, or read from stdin',
] as const

export function userCommand(io: Io): Command {
  const command = new Command('user').description('add, list and remove users, and change their passwords')
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
      withAccounts(config, io, async (_, { access }) => {
        const users = (await access.load()).accounts.filter(({ kind }) => kind === 'user')
        io.out(columns(users.map(({ name, admin, createdAt }) => [name, admin ? 'admin' : '', day(createdAt)])))
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
  return command
}

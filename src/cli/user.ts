import { Command } from 'commander'
import { accounts } from '../admin/operations.ts'
import { askPassword } from './ask-password.ts'
import { columns, day, json } from './columns.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  admin?: boolean
  passwordFile?: string
  json?: boolean
}

const passwordFile = [
  '--password-file <file>',
  'a file with the password; else it is asked for, or read from stdin',
] as const

export function userCommand(io: Io): Command {
  const command = new Command('user').description('add, list and remove users, and change their passwords')
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
      const rows = users.map(({ name, admin, createdAt }) => [name, admin ? 'admin' : '', day(createdAt)])
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
  return command
}

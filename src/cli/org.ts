import { Command } from 'commander'
import { columns, day, withAccounts } from './accounts.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'
import { roleArgument, roleOf } from './role.ts'

interface Options {
  config?: string
}

export function orgCommand(io: Io): Command {
  const command = new Command('org').description('add, list and remove organizations, and set their members')
  command
    .command('add <name>')
    .description('add an organization, whose namespace is hosted here from then on')
    .addOption(configOption())
    .action(async (name: string, { config }: Options) => {
      await withAccounts(config, io, (accounts) => accounts.addOrganization(name))
      io.out(`${name} was added; berth org member ${name} USER owner gives it an owner\n`)
    })
  command
    .command('list')
    .description('print the organizations, each with its members')
    .addOption(configOption())
    .action(({ config }: Options) =>
      withAccounts(config, io, async (_, { access }) => {
        const { accounts, members } = await access.load()
        const rows = accounts
          .filter(({ kind }) => kind === 'organization')
          .map(({ name, createdAt }) => {
            const its = members.filter(({ organization }) => organization === name)
            return [name, day(createdAt), its.map(({ user, role }) => `${user}:${role}`).join(' ')]
          })
        io.out(columns(rows))
      }),
    )
  command
    .command('remove <name>')
    .description('remove an organization with its tokens, members and grants; its images stay')
    .addOption(configOption())
    .action(async (name: string, { config }: Options) => {
      await withAccounts(config, io, (accounts) => accounts.remove(name, 'organization'))
      io.out(`${name} was removed; what was pushed to ${name}/ stays\n`)
    })
  command
    .command('member <organization> <user>')
    .description('say what a user is in an organization')
    .addArgument(roleArgument())
    .addOption(configOption())
    .action(async (organization: string, user: string, role: string, { config }: Options) => {
      await withAccounts(config, io, (accounts) => accounts.setMember(organization, user, roleOf(role)))
      io.out(role === 'none' ? `${user} is no member of ${organization}\n` : `${user} is ${role} in ${organization}\n`)
    })
  return command
}

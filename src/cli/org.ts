import { Command } from 'commander'
import { accounts, rights } from '../admin/operations.ts'
import { columns, day, json } from './columns.ts'
import type { Io } from './io.ts'
import { roleArgument, roleOf } from './role.ts'
import { targeted, withApi, type Target } from './target.ts'

export function orgCommand(io: Io): Command {
  const command = new Command('org').description('add, list and remove organizations, and set their members')
  targeted(command.command('add <name>'))
    .description('add an organization, whose namespace is hosted here from then on')
    .action(async (name: string, target: Target) => {
      await withApi(target, io, (api) => api.call(accounts.addOrganization, { name }))
      io.out(`${name} was added; berth org member ${name} USER owner gives it an owner\n`)
    })
  targeted(command.command('list'))
    .description('print the organizations, each with its members')
    .option('--json', 'print JSON')
    .action(async (options: Target & { json?: boolean }) => {
      const all = await withApi(options, io, (api) => api.call(accounts.listAccounts, {}))
      const organizations = all.filter(({ kind }) => kind === 'organization')
      const rows = organizations.map(({ name, createdAt, members }) => {
        return [name, day(createdAt), members.map(({ user, role }) => `${user}:${role}`).join(' ')]
      })
      io.out(options.json ? json(organizations) : columns(rows))
    })
  targeted(command.command('remove <name>'))
    .description('remove an organization with its tokens, members and grants; its images stay')
    .action(async (name: string, target: Target) => {
      await withApi(target, io, (api) => api.call(accounts.removeAccount, { name, kind: 'organization' }))
      io.out(`${name} was removed; what was pushed to ${name}/ stays\n`)
    })
  targeted(command.command('member <organization> <user>'))
    .description('say what a user is in an organization')
    .addArgument(roleArgument())
    .action(async (organization: string, user: string, role: string, target: Target) => {
      await withApi(target, io, (api) => api.call(rights.setMember, { organization, user, role: roleOf(role) }))
      io.out(role === 'none' ? `${user} is no member of ${organization}\n` : `${user} is ${role} in ${organization}\n`)
    })
  return command
}

import { Command } from 'commander'
import { columns, withAccounts } from './accounts.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'
import { roleArgument, roleOf } from './role.ts'

interface Options {
  config?: string
}

/** NAME is a repository, or a namespace for all its repositories. */
export function repoCommand(io: Io): Command {
  const command = new Command('repo').description('say who may see and change what is hosted here')
  for (const [word, isPublic] of [
    ['public', true],
    ['private', false],
  ] as const) {
    command
      .command(`${word} <name>`)
      .description(
        isPublic
          ? 'let everybody pull a repository, or those of a namespace that are not set on their own'
          : 'let only those pull it who are somebody there, as is so by default',
      )
      .addOption(configOption())
      .action(async (name: string, { config }: Options) => {
        await withAccounts(config, io, (accounts) => accounts.setPublic(name, isPublic))
        io.out(`${name} is ${word}\n`)
      })
  }
  command
    .command('grant <name> <account>')
    .description('open a repository, or a namespace, to a user or an organization')
    .addArgument(roleArgument())
    .addOption(configOption())
    .action(async (name: string, account: string, role: string, { config }: Options) => {
      await withAccounts(config, io, (accounts) => accounts.setGrant(name, account, roleOf(role)))
      io.out(role === 'none' ? `${account} has no grant of ${name}\n` : `${account} is ${role} of ${name}\n`)
    })
  command
    .command('list')
    .description('print what is public or private by its own setting, and all grants')
    .addOption(configOption())
    .action(({ config }: Options) =>
      withAccounts(config, io, async (_, { access }) => {
        const { publicity, grants } = await access.load()
        const rows = [
          ...publicity.map((record) => [record.name, record.public ? 'public' : 'private']),
          ...grants.map(({ name, account, role }) => [name, `${account}:${role}`]),
        ]
        io.out(columns(rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0))))
      }),
    )
  return command
}

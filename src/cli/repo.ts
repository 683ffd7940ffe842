import { Command } from 'commander'
import { images, rights } from '../admin/operations.ts'
import { columns, json } from './columns.ts'
import { parseImage } from './image-name.ts'
import type { Io } from './io.ts'
import { roleArgument, roleOf } from './role.ts'
import { targeted, withApi, type Target } from './target.ts'

/** NAME is a repository, or a namespace for all its repositories. */
export function repoCommand(io: Io): Command {
  const command = new Command('repo').description('say who may see and change what is hosted here, tag and delete')
  visibility(command, io)
  targeted(command.command('grant <name> <account>'))
    .description('open a repository, or a namespace, to a user or an organization')
    .addArgument(roleArgument())
    .action(async (name: string, account: string, role: string, target: Target) => {
      await withApi(target, io, (api) => api.call(rights.setGrant, { name, account, role: roleOf(role) }))
      io.out(role === 'none' ? `${account} has no grant of ${name}\n` : `${account} is ${role} of ${name}\n`)
    })
  targeted(command.command('list'))
    .description('print what is public or private by its own setting, and all grants')
    .option('--json', 'print JSON')
    .action((options: Target & { json?: boolean }) => list(options, io))
  targeted(command.command('tag <image> <tag>'))
    .description('give NAME:TAG or NAME@DIGEST another tag; one that is there moves')
    .action(async (image: string, tag: string, target: Target) => {
      const { name, reference: from } = parseImage(image)
      await withApi(target, io, (api) => api.call(images.setTag, { name, from, tag }))
      io.out(`${name}:${tag} is ${from} now\n`)
    })
  targeted(command.command('delete <image>'))
    .description('delete NAME:TAG, or NAME@DIGEST with all its tags; berth collect frees the room')
    .action(async (image: string, target: Target) => {
      await withApi(target, io, (api) => api.call(images.deleteTag, parseImage(image)))
      io.out(`${image} was deleted\n`)
    })
  return command
}

function visibility(command: Command, io: Io): void {
  for (const [word, isPublic] of [
    ['public', true],
    ['private', false],
  ] as const) {
    targeted(command.command(`${word} <name>`))
      .description(
        isPublic
          ? 'let everybody pull a repository, or those of a namespace that are not set on their own'
          : 'let only those pull it who are somebody there, as is so by default',
      )
      .action(async (name: string, target: Target) => {
        await withApi(target, io, (api) => api.call(rights.setVisibility, { name, public: isPublic }))
        io.out(`${name} is ${word}\n`)
      })
  }
}

async function list(options: Target & { json?: boolean }, io: Io): Promise<void> {
  const { visibility, grants } = await withApi(options, io, async (api) => ({
    visibility: await api.call(rights.listVisibility, {}),
    grants: await api.call(rights.listGrants, {}),
  }))
  if (options.json) return io.out(json({ visibility, grants }))
  const rows = [
    ...visibility.map((record) => [record.name, record.public ? 'public' : 'private']),
    ...grants.map(({ name, account, role }) => [name, `${account}:${role}`]),
  ]
  io.out(columns(rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0))))
}

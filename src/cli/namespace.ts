import { Command } from 'commander'
import { namespaces } from '../admin/operations.ts'
import { json } from './columns.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

export function namespaceCommand(io: Io): Command {
  const command = new Command('namespace').description('add, list and remove the namespaces that are hosted here')
  targeted(command.command('add <name>'))
    .description('host a namespace: images named <name>/... are pushed here and never taken from an upstream')
    .action(async (name: string, target: Target) => {
      const { added } = await withApi(target, io, (api) => api.call(namespaces.addNamespace, { name }))
      io.out(
        added ? `${name} is hosted here now: docker push HOST/${name}/IMAGE\n` : `${name} is hosted here already\n`,
      )
    })
  targeted(command.command('list'))
    .description('print the namespaces, one a line')
    .option('--json', 'print JSON')
    .action(async (options: Target & { json?: boolean }) => {
      const names = await withApi(options, io, (api) => api.call(namespaces.listNamespaces, {}))
      io.out(options.json ? json(names) : names.map((name) => `${name}\n`).join(''))
    })
  targeted(command.command('remove <name>'))
    .description('host a namespace no more; it must have no content')
    .action(async (name: string, target: Target) => {
      await withApi(target, io, (api) => api.call(namespaces.removeNamespace, { name }))
      io.out(`${name} is hosted here no more\n`)
    })
  return command
}

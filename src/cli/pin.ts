import { Command } from 'commander'
import { cache } from '../admin/operations.ts'
import { columns, json } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

export function pinCommand(io: Io): Command {
  return targeted(
    new Command('pin')
      .description('never evict cached tags of a pattern, with all they need; without one, print the pins')
      .argument('[pattern]', 'such as docker.io/library/node:20*'),
  )
    .option('--json', 'print JSON')
    .action(async (pattern: string | undefined, options: Target & { json?: boolean }) => {
      if (pattern === undefined) return list(options, io)
      await withApi(options, io, (api) => api.call(cache.pin, { pattern }))
      io.out(`${pattern} is not evicted any more\n`)
    })
}

export function unpinCommand(io: Io): Command {
  return targeted(new Command('unpin').description('take a pin back').argument('<pattern>', 'as it was pinned')).action(
    async (pattern: string, target: Target) => {
      const { removed } = await withApi(target, io, (api) => api.call(cache.unpin, { pattern }))
      if (removed) return io.out(`${pattern} is pinned no more\n`)
      throw new CommandError(
        `there is no pin ${JSON.stringify(pattern)} to take back: berth pin prints those there are; storage.pins is in the settings`,
      )
    },
  )
}

async function list(options: Target & { json?: boolean }, io: Io): Promise<void> {
  const pins = await withApi(options, io, (api) => api.call(cache.listPins, {}))
  const rows = [...pins.added.map((pattern) => [pattern]), ...pins.settings.map((pattern) => [pattern, 'settings'])]
  io.out(options.json ? json(pins) : columns(rows))
}

import { Command } from 'commander'
import { cache, type Answer } from '../admin/operations.ts'
import { json } from './columns.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  dryRun?: boolean
  json?: boolean
}

export function collectCommand(io: Io): Command {
  return targeted(
    new Command('collect').description(
      'remove what nothing reaches from what is hosted here; the server may be running',
    ),
  )
    .option('--dry-run', 'only print what would go, and why')
    .option('--json', 'print JSON')
    .action(({ dryRun = false, ...options }: Options) => collect(dryRun, options, io))
}

async function collect(dryRun: boolean, options: Options, io: Io): Promise<void> {
  const { gone, isServer } = await withApi(options, io, async (api) => ({
    gone: await api.call(cache.collect, { dryRun }),
    isServer: api.way.isServer,
  }))
  if (options.json) return io.out(json(gone))
  for (const { repository, what, why } of gone) io.out(`${repository}  ${what}  ${why}\n`)
  // Files are a server's alone to remove: it knows which are just being pushed.
  const done = isServer
    ? 'gone'
    : 'gone; the server removes their files at its next collection (hosted.collection.every)'
  io.out(summary(gone, dryRun ? 'would go' : done))
}

function summary(gone: Answer<typeof cache.collect>, done: string): string {
  if (gone.length === 0) return 'nothing to collect\n'
  const bytes = gone.reduce((sum, { size }) => sum + size, 0)
  return `${gone.length} things, ${bytes} bytes: ${done}\n`
}

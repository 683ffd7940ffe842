import { Command } from 'commander'
import { openHosted, type Going } from '../hosted/hosted.ts'
import { fsStore } from '../store/fs-store.ts'
import { configOption } from './config-option.ts'
import { noteCommand, withMetadata } from './hosted.ts'
import type { Io } from './io.ts'

export function collectCommand(io: Io): Command {
  return new Command('collect')
    .description('remove what nothing reaches from what is hosted here; the server may be running')
    .addOption(configOption())
    .option('--dry-run', 'only print what would go, and why')
    .action(({ config, dryRun }: { config?: string; dryRun?: boolean }) => collect(config, dryRun === true, io))
}

async function collect(file: string | undefined, dryRun: boolean, io: Io): Promise<void> {
  const gone = await withMetadata(file, io, async (metadata, config) => {
    const store = await fsStore(config.storage.data)
    const hosted = await openHosted({ ...config.hosted, store, metadata })
    try {
      const gone = await hosted.collector.letGo(dryRun)
      if (!dryRun && gone.length > 0)
        await noteCommand(metadata, { action: 'collect', detail: `${gone.length} things` })
      return gone
    } finally {
      await hosted.stop()
      await store.close()
    }
  })
  for (const { repository, what, why } of gone) io.out(`${repository}  ${what}  ${why}\n`)
  io.out(summary(gone, dryRun))
}

function summary(gone: readonly Going[], dryRun: boolean): string {
  if (gone.length === 0) return 'nothing to collect\n'
  const bytes = gone.reduce((sum, { size }) => sum + size, 0)
  const done = dryRun
    ? 'would go'
    : 'gone; the server removes their files at its next collection (hosted.collection.every)'
  return `${gone.length} things, ${bytes} bytes: ${done}\n`
}

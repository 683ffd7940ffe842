import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../config/config.ts'
import type { AuditRecord } from '../metadata/metadata.ts'
import { configOption } from './config-option.ts'
import { withMetadata } from './hosted.ts'
import type { Io } from './io.ts'

interface Options {
  config?: string
  /** Milliseconds since 1970. */
  since?: number
  user?: string
  action?: string
  name?: string
}

/** How many are read at once. */
const batch = 1_000

export function auditCommand(io: Io): Command {
  return new Command('audit')
    .description('print who pulled, pushed, deleted, logged in and changed what: one JSON object a line, oldest first')
    .option('--since <time>', 'from this time on: a date, or a duration before now such as 7d', moment)
    .option('--user <name>', 'only what this user did')
    .option('--action <action>', 'only pull, push, delete, login, "login refused", "token created" and so on')
    .option('--name <name>', 'only what was done to this repository, account or token')
    .addOption(configOption())
    .action(({ config, ...filter }: Options) =>
      withMetadata(config, io, async ({ audit }) => {
        let records: AuditRecord[]
        let after = 0
        do {
          records = await audit.list({ ...filter, after, limit: batch })
          for (const { at, ...record } of records)
            io.out(`${JSON.stringify({ at: new Date(at).toISOString(), ...record })}\n`)
          after = records.at(-1)?.number ?? after
        } while (records.length === batch)
      }),
    )
}

function moment(text: string): number {
  const before = parseDuration(text)
  const time = before === undefined ? Date.parse(text) : Date.now() - before
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It must be a date such as 2026-11-25, or a duration such as 7d.')
  return time
}

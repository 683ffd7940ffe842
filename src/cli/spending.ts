import { Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../config/config.ts'
import { columns } from './accounts.ts'
import { configOption } from './config-option.ts'
import { withMetadata } from './hosted.ts'
import type { Io } from './io.ts'

interface Options {
  config?: string
  /** Milliseconds. */
  since: number
  limit: number
}

export function spendingCommand(io: Io): Command {
  return new Command('spending')
    .description(
      'print on whose behalf pulls were spent at upstreams, the most first: pulls, upstream, account, caller, repository',
    )
    .addOption(
      new Option('--since <duration>', 'a time before now, up to 32d; it begins with that day in UTC')
        .argParser(span)
        .default(7 * 86_400_000, '7d'),
    )
    .addOption(new Option('--limit <number>', 'at most so many lines').argParser(lines).default(50))
    .addOption(configOption())
    .action(({ config, since, limit }: Options) =>
      withMetadata(config, io, async ({ spending }) => {
        const sums = await spending.since(Date.now() - since, limit)
        io.out(
          columns(
            sums.map(({ pulls, upstream, account, caller, repository }) => {
              return [String(pulls), upstream, account, caller || 'berth', repository]
            }),
          ),
        )
      }),
    )
}

function span(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 7d.')
  return milliseconds
}

function lines(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}

import { Command, InvalidArgumentError, Option } from 'commander'
import { cache } from '../admin/operations.ts'
import { parseDuration } from '../config/config.ts'
import { columns, json } from './columns.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  /** Milliseconds. */
  since: number
  limit: number
  json?: boolean
}

export function spendingCommand(io: Io): Command {
  return targeted(
    new Command('spending')
      .description(
        'print on whose behalf pulls were spent at upstreams, the most first: pulls, upstream, account, caller, repository',
      )
      .addOption(
        new Option('--since <duration>', 'a time before now, up to 32d; it begins with that day in UTC')
          .argParser(span)
          .default(7 * 86_400_000, '7d'),
      )
      .addOption(new Option('--limit <number>', 'at most so many lines').argParser(lines).default(50))
      .option('--json', 'print JSON'),
  ).action(async ({ since, limit, ...options }: Options) => {
    const asked = { since: Date.now() - since, limit }
    const sums = await withApi(options, io, (api) => api.call(cache.listSpending, asked))
    const rows = sums.map(({ pulls, upstream, account, caller, repository }) => {
      return [String(pulls), upstream, account, caller || 'berth', repository]
    })
    io.out(options.json ? json(sums) : columns(rows))
  })
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

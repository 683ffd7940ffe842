import { Command } from 'commander'
import { cache, type Answer } from '../admin/operations.ts'
import { bytes, count, date, percent } from '../web/format.ts'
import { columns, json } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

type View = Answer<typeof cache.viewCache>

export function statusCommand(io: Io): Command {
  return targeted(
    new Command('status').description(
      'print how the registry does: hit rate of the last day, disk, pull limits, what is broken, what is being fetched; exit code 1 where no server runs',
    ),
  )
    .option('--json', 'print JSON')
    .action(async (options: Target & { json?: boolean }) => {
      const { view, way } = await withApi(options, io, async (api) => ({
        view: await api.call(cache.viewCache, {}),
        way: api.way,
      }))
      io.out(options.json ? json(view) : columns([[way.isServer ? 'running' : 'stopped', way.place], ...linesOf(view)]))
      if (!way.isServer) throw new CommandError(`no server runs on ${way.place}: berth serve starts one`)
    })
}

function linesOf(view: View): string[][] {
  const lines = [...figures(view), ...view.upstreams.flatMap(upstream), ...view.fills.map(fill)]
  const problems = view.problems.slice(0, 5).map(({ at, message, times }) => {
    return ['problem', `${date(at)}  ${message}${times > 1 ? ` (${times} times)` : ''}`]
  })
  return [...lines, ...problems]
}

function figures({ totals, storage }: View): string[][] {
  const { hits, revalidated, stale, misses, servedBytes, receivedBytes, pullsServed, pullsSpent } = totals
  const found = hits + revalidated + stale
  return [
    ['last day', `${count(pullsServed)} pulls served, ${count(pullsSpent)} spent at upstreams`],
    ['hit rate', `${percent(found, found + misses)}: ${bytes(servedBytes)} served, ${bytes(receivedBytes)} fetched`],
    ['disk', `${bytes(storage.bytes)} of at most ${bytes(storage.maxSize)} cached, ${bytes(storage.free)} free`],
  ]
}

/** Only what an operator wants to know of one. */
function upstream({ name, down, budgets, refused }: View['upstreams'][number]): string[][] {
  return [
    ...Object.entries(down).map(([host, since]) => ['down', `${name}: ${host} since ${date(since)}`]),
    ...Object.entries(refused).map(([account, { host, why, since }]) => {
      return ['login', `${name}: ${account} is refused at ${host} since ${date(since)} (${why})`]
    }),
    ...Object.entries(budgets).map(([account, { remaining, limit, scarce }]) => {
      const left = `${count(remaining)}${limit === undefined ? '' : ` of ${count(limit)}`} pulls left`
      return ['limit', `${name}: ${account} has ${left}${scarce ? ': kept in reserve' : ''}`]
    }),
  ]
}

function fill({ digest, name, upstream, size, present }: View['fills'][number]): string[] {
  const far = size === undefined ? bytes(present) : `${percent(present, size)} of ${bytes(size)}`
  return ['fetching', `${name ?? upstream} ${digest}: ${far}`]
}

import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { warm as operations, type Answer } from '../admin/operations.ts'
import type { Api } from './api.ts'
import { columns } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  wait: boolean
}

type View = Answer<typeof operations.viewWarm>

/** Milliseconds between two looks at a run. */
const look = 200

export function warmCommand(io: Io): Command {
  return targeted(
    new Command('warm')
      .description(
        'have the server fetch lists of what is always to be here (warm in the settings); all without a name',
      )
      .argument('[lists...]', 'names of lists')
      .option('--wait', 'until they are fetched, and tell what is not here; exit code 1 if something is not', false),
  ).action((names: string[], { wait, ...target }: Options) =>
    withApi(target, io, async (api) => {
      const runs = []
      for (const list of chosen(names, await api.call(operations.viewWarm, {}))) runs.push(await begin(api, list, io))
      if (wait) for (const id of runs) await follow(api, id, io)
    }),
  )
}

function chosen(names: readonly string[], { lists }: View): View['lists'] {
  const known = lists.length === 0 ? 'there are none' : `there are ${lists.map(({ name }) => name).join(', ')}`
  if (names.length === 0 && lists.length === 0) throw new CommandError('no list stands in the settings (warm)')
  const unknown = names.find((name) => !lists.some((list) => list.name === name))
  if (unknown !== undefined) {
    throw new CommandError(`there is no list ${JSON.stringify(unknown)} in the settings (warm): ${known}`)
  }
  return names.length === 0 ? lists : lists.filter(({ name }) => names.includes(name))
}

/** Begins a run, unless one of the list goes on; returns its id. */
async function begin(api: Api, { name, run }: View['lists'][number], io: Io): Promise<number> {
  const { id } = await api.call(operations.fetchWarm, { list: name })
  if (id === run?.id) io.out(`${name} is being fetched already: run ${id}\n`)
  else if (api.way.isServer) io.out(`${name} is being fetched: run ${id}\n`)
  else io.out(`${name} is fetched by the next server that starts here: run ${id}\n`)
  return id
}

async function follow(api: Api, id: number, io: Io): Promise<void> {
  let run = await api.call(operations.getRun, { id })
  while (run.endedAt === undefined) {
    await sleep(look)
    run = await api.call(operations.getRun, { id })
  }
  const wanting = run.references.filter(({ outcome }) => outcome !== 'ok')
  io.out(columns(wanting.map(({ reference, outcome, message = '' }) => [reference, outcome, message])))
  if (run.outcome !== 'ok') throw new CommandError(`run ${id}: ${run.outcome}`)
  io.out(`run ${id}: all of ${run.references.length} here\n`)
}

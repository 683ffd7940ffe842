import { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Metadata, WarmRunRecord } from '../metadata/metadata.ts'
import { configOption } from './config-option.ts'
import { noteCommand, withMetadata } from './hosted.ts'
import { CommandError, type Io } from './io.ts'

interface Options {
  config?: string
  wait: boolean
}

type List = Config['warm'][number]

const look = 200

export function warmCommand(io: Io): Command {
  return new Command('warm')
    .description('have the server fetch lists of what is always to be here (warm in the settings); all without a name')
    .argument('[lists...]', 'names of lists')
    .option('--wait', 'until they are fetched, and tell what is not here; exit code 1 if something is not', false)
    .addOption(configOption())
    .action((names: string[], { config, wait }: Options) => warm(names, wait, config, io))
}

async function warm(names: readonly string[], wait: boolean, file: string | undefined, io: Io): Promise<void> {
  await withMetadata(file, io, async (metadata, config) => {
    const runs = []
    for (const list of chosen(names, config)) runs.push(await begin(metadata, list, io))
    if (wait) for (const id of runs) await follow(metadata, id, io)
  })
}

function chosen(names: readonly string[], { warm: lists }: Config): readonly List[] {
  const known = lists.length === 0 ? 'there are none' : `there are ${lists.map(({ name }) => name).join(', ')}`
  if (names.length === 0 && lists.length === 0) throw new CommandError('no list stands in the settings (warm)')
  const unknown = names.find((name) => !lists.some((list) => list.name === name))
  if (unknown !== undefined) {
    throw new CommandError(`there is no list ${JSON.stringify(unknown)} in the settings (warm): ${known}`)
  }
  return names.length === 0 ? lists : lists.filter(({ name }) => names.includes(name))
}

/** Writes a run down for the server, unless one of the list goes on; returns its id. */
async function begin(metadata: Metadata, { name, ...list }: List, io: Io): Promise<number> {
  const running = (await metadata.warm.unfinished()).find((run) => run.list === name)
  if (running) {
    io.out(`${name} is being fetched already: run ${running.id}\n`)
    return running.id
  }
  const { references, limit, order, platforms } = list
  const id = await metadata.warm.begin({
    list: name,
    order: { references, limit, order, platforms },
    startedAt: Date.now(),
  })
  await noteCommand(metadata, { action: 'fetch', detail: `warm list ${name}` })
  io.out(`${name} is fetched by the server that runs, or by the next one: run ${id}\n`)
  return id
}

async function follow({ warm }: Metadata, id: number, io: Io): Promise<void> {
  let run: WarmRunRecord | undefined
  while ((run = await warm.find(id)) && run.endedAt === undefined) await sleep(look)
  const results = await warm.results(id)
  const wanting = results.filter(({ outcome }) => outcome !== 'ok')
  for (const { reference, outcome, message } of wanting) io.out(`${reference}  ${outcome}  ${message ?? ''}\n`)
  if (run?.outcome !== 'ok') throw new CommandError(`run ${id}: ${run?.outcome ?? 'known no more'}`)
  io.out(`run ${id}: all of ${results.length} here\n`)
}

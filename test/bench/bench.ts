// npm run bench [-- [--quick] [NAME...]]: measures what design and issues promise about speed, in one table. A name selects
// the measures that begin with it. Server and load each have a core of their own; fills have all. Nothing here can
// fail for being slow: the table says which targets were met.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, Measure } from './measure.ts'
import { bearerManifest } from './measures/bearer.ts'
import { busyManifest } from './measures/busy.ts'
import { coldImage, coldMany, coldOne, coldRange, coldUnshaped } from './measures/cold.ts'
import { coldDocker } from './measures/cold-docker.ts'
import { hashing } from './measures/hashing.ts'
import { outage } from './measures/outage.ts'
import { memory, start } from './measures/process.ts'
import { pushLayer, pushManifest } from './measures/push.ts'
import { warmBlob, warmManifest, warmSmall } from './measures/warm.ts'
import { judge, table, type Judged } from './report.ts'
import { pinSelf } from './servers/process.ts'
import { startFastUpstream } from './servers/upstream.ts'

const measures: Measure[] = [
  warmManifest,
  warmSmall,
  warmBlob,
  bearerManifest,
  coldOne,
  coldMany,
  coldUnshaped,
  coldRange,
  coldImage,
  coldDocker,
  hashing,
  busyManifest,
  outage,
  pushLayer,
  pushManifest,
  start,
  memory,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})
const chosen = measures.filter(({ name }) => positionals.length === 0 || positionals.some((p) => name.startsWith(p)))

if (values.help || chosen.length === 0) {
  console.log(
    `npm run bench -- [--quick] [NAME...]\n\n${measures.map((m) => `${m.name.padEnd(16)}${m.about}`).join('\n')}`,
  )
  process.exit(values.help ? 0 : 2)
}
await report(await measureAll())

async function measureAll(): Promise<Judged[]> {
  pinSelf()
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-bench-'))
  const upstream = await startFastUpstream(folder)
  const { quick } = values
  const say = (text: string) => console.log(text)
  const bench: Bench = { quick, upstream, folder, rounds: quick ? 3 : 5, seconds: quick ? 1 : 4, say }
  const rows: Judged[] = []
  try {
    for (const measure of chosen) {
      say(`${measure.name}: ${measure.about}`)
      rows.push(...(await measure.run(bench)).map(judge))
    }
    return rows
  } finally {
    await upstream.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function report(rows: Judged[]): Promise<void> {
  const text = table(rows)
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
  const output = path.resolve(import.meta.dirname, '../output')
  await mkdir(output, { recursive: true })
  await writeFile(path.join(output, 'bench.json'), JSON.stringify({ date: new Date(), ...machine, rows }, null, 2))
  await writeFile(path.join(output, 'bench.txt'), `${text}\n`)
  console.log(`\n${text}\n\nNode ${machine.node}, ${machine.cores} x ${machine.cpu}`)
}

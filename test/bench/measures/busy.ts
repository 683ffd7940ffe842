import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { download } from '../load/connection.ts'
import { latencies } from '../load/load.ts'
import { gibibyte, mebibyte, type Bench, type Measure, type Row } from '../measure.ts'
import { startBerth, type Berth } from '../servers/berth.ts'
import { blobPath, manifestPath, type Image } from '../servers/upstream.ts'
import { median, percentile } from '../stats.ts'

/** Fills are offered so many bytes a second: what the machine does with ease, and on to what is promised. */
const offers = [256 * mebibyte, 512 * mebibyte, gibibyte]
/** Four blobs are filled at once, four connections each. */
const blobs = 4
/** The most that one round writes to disk, in bytes. */
const mostFilled = 2 * gibibyte

export const busyManifest: Measure = {
  name: 'busy-manifest',
  about:
    'p99 of a warm manifest, 800 requests/s, while fills are offered up to 1 GiB/s, by the same without fills; the rate they reach, and their CPU',
  async run(bench) {
    const rows: Row[] = []
    const costs: Cost[] = []
    for (const offered of offers) {
      const rounds = await roundsAt(bench, offered)
      rows.push(...rowsOf(offered, rounds))
      costs.push(...rounds.map(({ cost }) => cost))
    }
    return [...rows, ...arithmetic(costs)]
  },
}

/** CPU seconds that a GiB of fills costs, and what the load needs meanwhile, in cores. */
interface Cost {
  berth: number
  upstream: number
  load: number
}

interface Round {
  /** Milliseconds. */
  idle: number
  busy: number
  /** GiB a second. */
  rate: number
  cost: Cost
}

async function roundsAt(bench: Bench, offered: number): Promise<Round[]> {
  const { upstream, folder } = bench
  const env = { BERTH_UPSTREAMS_DOCKER_IO_MAX_BANDWIDTH: `${offered / mebibyte}MiB` }
  const berth = await startBerth({ folder, upstream: upstream.url, core: 'all', env })
  const asked = manifestPath(await upstream.image(1000))
  const probe = (seconds: number) => latencies({ url: berth.url, path: asked, connections: 4, seconds })
  const rounds: Round[] = []
  try {
    await probe(1)
    for (let round = 0; round < bench.rounds; round++) {
      const size = Math.min(mostFilled, offered * bench.seconds) / blobs
      const image = await upstream.image(...Array.from({ length: blobs }, () => size))
      const idle = percentile(await probe(bench.seconds), 99)
      rounds.push({ idle, ...(await whileFilling(bench, berth, image, probe)) })
    }
    return rounds
  } finally {
    await berth.stop()
  }
}

async function whileFilling(
  { upstream }: Bench,
  berth: Berth,
  image: Image,
  probe: (seconds: number) => Promise<number[]>,
): Promise<Omit<Round, 'idle'>> {
  const spent = () => ({
    berth: berth.cpuSeconds(),
    upstream: upstream.cpuSeconds(),
    load: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  })
  const [started, before] = [performance.now(), spent()]
  let seconds = 0
  const filled = fillAll(berth, image).then(() => (seconds = (performance.now() - started) / 1000))
  const seen: number[] = []
  while (seconds === 0) seen.push(...(await probe(0.25)))
  await filled
  const after = spent()
  const gibibytes = image.layers.reduce((sum, { size }) => sum + size, 0) / gibibyte
  return {
    busy: percentile(seen, 99),
    rate: gibibytes / seconds,
    cost: {
      berth: (after.berth - before.berth) / gibibytes,
      upstream: (after.upstream - before.upstream) / gibibytes,
      load: (after.load - before.load) / seconds,
    },
  }
}

/** Reads but a byte of each layer: what is measured is filling, not sending. */
async function fillAll(berth: Berth, image: Image): Promise<void> {
  await download(berth.url, manifestPath(image))
  await Promise.all(image.layers.map((layer) => download(berth.url, blobPath(image, layer), '0-0')))
  while (!image.layers.every(({ digest }) => berth.keeps(digest))) await sleep(10)
}

function rowsOf(offered: number, rounds: Round[]): Row[] {
  const [idle, busy] = [median(rounds.map((round) => round.idle)), median(rounds.map((round) => round.busy))]
  const at = `fills offered ${offered / mebibyte} MiB/s`
  return [
    {
      what: `warm manifest p99, ${at}`,
      unit: 'ms',
      berth: busy,
      other: { name: 'no fills', value: idle },
      result: { value: busy - idle, unit: 'ms more' },
      target: { atMost: 5 },
    },
    { what: `fill rate reached, ${at}`, unit: 'GiB/s', berth: median(rounds.map(({ rate }) => rate)) },
  ]
}

/** What the machine could carry if it did nothing else: all of its cores by what a GiB costs all who take part. */
function arithmetic(costs: Cost[]): Row[] {
  const of = (who: keyof Cost) => median(costs.map((cost) => cost[who]))
  const cores = cpus().length
  return [
    { what: 'CPU of Berth for fills', unit: 's/GiB', berth: of('berth') },
    { what: 'CPU of the upstream for fills', unit: 's/GiB', berth: of('upstream') },
    { what: 'CPU of the load meanwhile', unit: 'cores', berth: of('load') },
    {
      what: `fill rate that ${cores} cores can carry, upstream and load included`,
      unit: 'GiB/s',
      berth: (cores - of('load')) / (of('berth') + of('upstream')),
    },
  ]
}

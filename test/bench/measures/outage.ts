import { setTimeout as sleep } from 'node:timers/promises'
import { latencies } from '../load/load.ts'
import type { Bench, Measure, Row } from '../measure.ts'
import { startBerth, type Berth } from '../servers/berth.ts'
import { manifestPath, startFastUpstream, type FastUpstream } from '../servers/upstream.ts'
import { alternate, percentile } from '../stats.ts'

/** How long a tag is fresh, in milliseconds: short, so that the outage is met again and again. */
const freshness = 1_000

export const outage: Measure = {
  name: 'outage',
  about: 'p99 of warm pulls by tag, 800 a second, while the upstream is down, by the same while it is up',
  async run(bench) {
    // One of its own: it is stopped.
    const upstream = await startFastUpstream(bench.folder)
    const up = await startWarm(bench, bench.upstream)
    const down = await startWarm(bench, upstream)
    try {
      await upstream.stop()
      await sleep(freshness)
      const slowest = { up: 0, down: 0 }
      let pulls = 0
      const p99 = (which: 'up' | 'down', pull: Warm['pull']) => async () => {
        const seen = await pull(bench.seconds)
        slowest[which] = Math.max(slowest[which], ...seen)
        if (which === 'down') pulls += seen.length
        return percentile(seen, 99)
      }
      const figures = await alternate(bench.rounds, { up: p99('up', up.pull), down: p99('down', down.pull) })
      return [
        { ...row(`p99 of ${pulls} warm pulls by tag, upstream down`, figures), target: { atMost: 2 } },
        row('the slowest of them', slowest),
      ]
    } finally {
      await Promise.all([up.berth.stop(), down.berth.stop()])
    }
  },
}

interface Warm {
  berth: Berth
  /** Milliseconds, one a pull. */
  pull: (seconds: number) => Promise<number[]>
}

async function startWarm({ folder }: Bench, upstream: FastUpstream): Promise<Warm> {
  const path = manifestPath(await upstream.image(1000))
  const env = { BERTH_UPSTREAMS_DOCKER_IO_FRESHNESS: `${freshness}ms` }
  const berth = await startBerth({ folder, upstream: upstream.url, core: 'server', env })
  const pull = (seconds: number) => latencies({ url: berth.url, path, connections: 4, seconds })
  // Until the program is compiled for the work.
  await pull(2)
  return { berth, pull }
}

function row(what: string, { up, down }: { up: number; down: number }): Row {
  return { what, unit: 'ms', berth: down, other: { name: 'upstream up', value: up } }
}

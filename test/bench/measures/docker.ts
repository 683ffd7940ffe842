import { performance } from 'node:perf_hooks'
import { startDockerd } from '../../helpers/daemons.ts'
import { imageOf } from '../../helpers/images.ts'
import { makeLayer } from '../../helpers/layers.ts'
import { findTool, runTool } from '../../helpers/tools.ts'
import { startUpstream } from '../../helpers/upstream.ts'
import { mebibyte, type Bench, type Measure } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { pinSelf } from '../servers/process.ts'
import { median } from '../stats.ts'

const what = 'dockerd, cold image of 24 layers at 60 ms'
const repository = 'library/layers'
/** What Berth has pulled when it is measured: it is the image that is cold, not the program. */
const before = 'library/before'

/** Small layers: what is measured is how they are fetched, not how fast a disk unpacks them. */
function layeredImage(round: number, tag = String(round)) {
  const layers = Array.from({ length: 24 }, (_, i) =>
    makeLayer([{ path: `layer${i}.bin`, content: { size: mebibyte / 2, seed: round * 100 + i + 1 } }]),
  )
  return imageOf(layers, { tag })
}

export const dockerImage: Measure = {
  name: 'docker-image',
  about:
    'a real dockerd (containerd image store) pulls an image of 24 layers, the upstream 60 ms away, by the same without Berth',
  async run(bench) {
    if (!findTool('dockerd-29/dockerd'))
      return [{ what, unit: 'ms', berth: NaN, skipped: 'no dockerd: test/setup.sh builds it' }]
    // The upstream is in this process, and dockerd is its child.
    pinSelf('all')
    const direct: number[] = []
    const through: number[] = []
    for (let round = 1; round <= bench.rounds; round++) {
      const upstream = await startUpstream({
        content: { [repository]: layeredImage(round), [before]: layeredImage(1000 + round, String(round)) },
        latencyMs: 60,
        bytesPerSecond: 40 * mebibyte,
        cdn: {},
      })
      try {
        direct.push(await timePull(upstream.url, `${repository}:${round}`))
        through.push(await throughBerth(bench, upstream.url, round))
      } finally {
        await upstream.stop()
      }
    }
    pinSelf()
    return [
      {
        what,
        unit: 'ms',
        berth: median(through),
        other: { name: 'direct pull', value: median(direct) },
        target: { atMost: 0.5 },
      },
    ]
  },
}

async function throughBerth({ folder }: Bench, upstream: string, round: number): Promise<number> {
  const berth = await startBerth({ folder, upstream, core: 'all' })
  try {
    await timePull(berth.url, `${before}:${round}`)
    return await timePull(berth.url, `${repository}:${round}`)
  } finally {
    await berth.stop()
  }
}

/** Milliseconds that a fresh dockerd takes for the image, from this mirror. */
async function timePull(mirror: string, image: string): Promise<number> {
  const daemon = await startDockerd('containerd store', { mirror })
  try {
    const started = performance.now()
    const args = ['-H', `unix://${daemon.socket}`, 'pull', '--quiet', image]
    await runTool('docker', args, { env: { DOCKER_CONFIG: daemon.folder } })
    return performance.now() - started
  } finally {
    await daemon.stop()
  }
}

import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { performance } from 'node:perf_hooks'
import { startDockerd } from '../../helpers/daemons.ts'
import { imageOf } from '../../helpers/images.ts'
import { makeLayer } from '../../helpers/layers.ts'
import { kinds } from '../../helpers/registries/kinds.ts'
import { findTool, runTool } from '../../helpers/tools.ts'
import { startUpstream } from '../../helpers/upstream.ts'
import { mebibyte, type Bench, type Measure } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { pinSelf } from '../servers/process.ts'
import { median } from '../stats.ts'

const what = 'dockerd, cold image of 24 layers at 60 ms'
const repository = 'library/layers'
/** What dockerd has pulled by the same way when it is measured: it is the image that is cold, not dockerd or Berth. */
const before = [1, 2, 3, 4].map((n) => `library/before-${n}`)

/** Where dockerd unpacks: what is measured is how layers are fetched, not how fast a disk syncs what was unpacked. */
const unpacksIn = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Small layers, for the same reason. */
function layeredImage(seed: number) {
  const layers = Array.from({ length: 24 }, (_, i) =>
    makeLayer([{ path: `layer${i}.bin`, content: { size: mebibyte / 2, seed: seed * 100 + i + 1 } }]),
  )
  return imageOf(layers, { tag: '1' })
}

export const coldDocker: Measure = {
  name: 'cold-docker',
  about:
    'a real dockerd (containerd image store, in memory) pulls an image of 24 layers, the upstream 60 ms away and with tokens and a CDN as Docker Hub; time by the same without Berth',
  async run(bench) {
    if (!findTool('dockerd-29/dockerd'))
      return [{ what, unit: 'ms', berth: NaN, skipped: 'no dockerd: test/setup.sh builds it' }]
    // The upstream is in this process, and dockerd is its child.
    pinSelf('all')
    const times = { direct: [] as number[], through: [] as number[] }
    for (let round = 1; round <= bench.rounds; round++) {
      const upstream = await startUpstream({
        ...kinds['Docker Hub, anonymous'].behaves,
        content: Object.fromEntries([repository, ...before].map((name, i) => [name, layeredImage(round * 10 + i)])),
        latencyMs: 60,
        bytesPerSecond: 40 * mebibyte,
      })
      try {
        // By another name than its CDN has: Go would take its token along to another port of the same host.
        const direct = upstream.url.replace('127.0.0.1', 'localhost')
        times.direct.push(await timePull(direct))
        times.through.push(await throughBerth(bench, upstream.url))
      } finally {
        await upstream.stop()
      }
    }
    pinSelf()
    return [
      {
        what,
        unit: 'ms',
        berth: median(times.through),
        other: { name: 'direct pull', value: median(times.direct) },
        target: { atMost: 0.5 },
      },
    ]
  },
}

async function throughBerth({ folder }: Bench, upstream: string): Promise<number> {
  const berth = await startBerth({ folder, upstream, core: 'all' })
  try {
    return await timePull(berth.url)
  } finally {
    await berth.stop()
  }
}

/** Milliseconds that a dockerd takes for the image, from this mirror. */
async function timePull(mirror: string): Promise<number> {
  const daemon = await startDockerd('containerd store', { mirror }, unpacksIn)
  const pull = (name: string) =>
    runTool('docker', ['-H', `unix://${daemon.socket}`, 'pull', '--quiet', `${name}:1`], {
      env: { DOCKER_CONFIG: daemon.folder },
    })
  try {
    for (const name of before) await pull(name)
    const started = performance.now()
    await pull(repository)
    return performance.now() - started
  } finally {
    await daemon.stop()
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { download } from '../load/connection.ts'
import { latencies } from '../load/load.ts'
import { gibibyte, mebibyte, type Bench, type Measure } from '../measure.ts'
import { startBerth, type Berth } from '../servers/berth.ts'
import { blobPath, manifestPath, type Image } from '../servers/upstream.ts'
import { median, percentile } from '../stats.ts'

/** Four connections a fill make 1 GiB a second. */
const shape = { bytesPerSecond: 256 * mebibyte }
const size = 512 * mebibyte

export const busyManifest: Measure = {
  name: 'busy-manifest',
  about: 'p99 of a warm manifest, 800 requests/s, while fills run at up to 1 GiB/s, by the same without fills',
  async run(bench) {
    const { upstream, folder } = bench
    const berth = await startBerth({ folder, upstream: upstream.url, core: 'all' })
    const asked = manifestPath(await upstream.image(1000))
    const probe = async (seconds: number) =>
      percentile(await latencies({ url: berth.url, path: asked, connections: 4, seconds }), 99)
    await probe(1)
    const idle: number[] = []
    const busy: number[] = []
    const rates: number[] = []
    const costs: number[] = []
    try {
      for (let round = 0; round < bench.rounds; round++) {
        const image = await upstream.image(...Array.from({ length: bench.quick ? 2 : 4 }, () => size))
        idle.push(await probe(bench.seconds))
        await upstream.shape(shape)
        const { p99, rate, cost } = await whileFilling(bench, berth, image, probe)
        await upstream.shape({})
        busy.push(p99)
        rates.push(rate)
        costs.push(cost)
      }
    } finally {
      await berth.stop()
    }
    const [calm, loaded] = [median(idle), median(busy)]
    return [
      {
        what: 'warm manifest p99 while filling',
        unit: 'ms',
        berth: loaded,
        other: { name: 'idle', value: calm },
        result: { value: loaded - calm, unit: 'ms more' },
        target: { atMost: 5 },
      },
      { what: 'fill rate meanwhile', unit: 'GiB/s', berth: median(rates) },
      { what: 'CPU of Berth meanwhile', unit: 's/GiB', berth: median(costs) },
    ]
  },
}

async function whileFilling(
  { upstream }: Bench,
  berth: Berth,
  image: Image,
  probe: (seconds: number) => Promise<number>,
): Promise<{ p99: number; rate: number; cost: number }> {
  const started = performance.now()
  const cpu = berth.cpuSeconds()
  const filled = fillAll(berth, image).then(() => performance.now())
  const seen: number[] = []
  let done = false
  void filled.finally(() => (done = true))
  while (!done) seen.push(await probe(0.25))
  const seconds = ((await filled) - started) / 1000
  const sent = await Promise.all(image.layers.map(({ digest }) => upstream.served(digest)))
  const filledBytes = sent.reduce((sum, { bytes }) => sum + bytes, 0) / gibibyte
  const cost = (berth.cpuSeconds() - cpu) / filledBytes
  // A maximum of short p99s would be a p100: the median of them is what a client met most of the time.
  return { p99: median(seen), rate: filledBytes / seconds, cost }
}

/** Fills the layers one after the other, reading but a byte of each: what is measured is filling, not sending. */
async function fillAll(berth: Berth, image: Image): Promise<void> {
  await download(berth.url, manifestPath(image))
  for (const layer of image.layers) {
    await download(berth.url, blobPath(image, layer), '0-0')
    while (!berth.keeps(layer.digest)) await sleep(10)
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, download } from '../load/connection.ts'
import { gibibyte, mebibyte, type Measure } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { blobPath, manifestPath } from '../servers/upstream.ts'
import { median } from '../stats.ts'

export const start: Measure = {
  name: 'start',
  about: 'from the start of the process, after the build, to its first answer, on one core',
  async run({ folder, upstream, rounds }) {
    const times: number[] = []
    for (let round = 0; round < rounds + 2; round++) {
      const berth = await startBerth({ folder, upstream: upstream.url, core: 'server' })
      times.push(berth.startedIn)
      await berth.stop()
    }
    const value = median(times)
    return [
      {
        what: 'start to first answer',
        unit: 'ms',
        berth: value,
        result: { value, unit: 'ms' },
        target: { below: 1000 },
      },
    ]
  },
}

export const memory: Measure = {
  name: 'memory',
  about: 'the most memory resident while slow clients read a blob of 1 GiB that is being filled',
  async run(bench) {
    const rows = []
    for (const { clients, rate, most } of [
      { clients: 32, rate: mebibyte, most: 150 },
      { clients: 64, rate: 64 * 1024, most: 200 },
    ]) {
      const value = (await memoryWith(bench, clients, rate)) / mebibyte
      const what = `memory, ${clients} clients at ${rate / 1024} KiB/s`
      rows.push({ what, unit: 'MiB', berth: value, result: { value, unit: 'MiB' }, target: { below: most } })
    }
    return rows
  },
}

async function memoryWith({ folder, upstream, quick }: Parameters<Measure['run']>[0], clients: number, rate: number) {
  await upstream.shape({ bytesPerSecond: 40 * mebibyte })
  const image = await upstream.image(gibibyte)
  const berth = await startBerth({ folder, upstream: upstream.url, core: 'all' })
  const connections = Array.from({ length: clients }, () => new Connection(berth.url, rate))
  try {
    await download(berth.url, manifestPath(image))
    const path = blobPath(image, image.layers[0]!)
    for (const connection of connections) connection.get(path).catch(() => {})
    // Long enough for the whole fill, and for some reading from the finished blob.
    await sleep(quick ? 6000 : 10_000)
    return await berth.mostMemory()
  } finally {
    for (const connection of connections) connection.close()
    await upstream.shape({})
    await berth.stop()
  }
}

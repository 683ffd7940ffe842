import { download, type Result } from '../load/connection.ts'
import { mebibyte, type Bench, type Measure, type Row } from '../measure.ts'
import { startBerth, type Berth } from '../servers/berth.ts'
import { pinSelf } from '../servers/process.ts'
import { blobPath, manifestPath, type Image, type Shape } from '../servers/upstream.ts'
import { median } from '../stats.ts'
import { pull } from '../load/pull.ts'

/** A CDN that limits each connection. */
const shaped: Shape = { bytesPerSecond: 40 * mebibyte, latency: 10 }
const size = 256 * mebibyte

export const coldOne: Measure = {
  name: 'cold-one',
  about: 'one client pulls a cold blob of 256 MiB, the CDN gives each connection 40 MiB/s; time by a direct download',
  async run(bench) {
    const rounds = await eachBlob(bench, shaped, async (berth, asked) => {
      const direct = await download(bench.upstream.url, asked)
      return { direct: direct.total, berth: (await download(berth.url, asked)).total }
    })
    return [timeRow('cold 256 MiB, one client', rounds, 'direct download', { atMost: 0.35 })]
  },
}

export const coldMany: Measure = {
  name: 'cold-many',
  about:
    '16 clients pull one cold blob of 256 MiB at once; the slowest by a direct download, and what the upstream sent',
  async run(bench) {
    const rounds = await eachBlob(bench, shaped, async (berth, asked, digest) => {
      const direct = await download(bench.upstream.url, asked)
      const before = await bench.upstream.served(digest)
      const all = await Promise.all(Array.from({ length: 16 }, () => download(berth.url, asked)))
      const after = await bench.upstream.served(digest)
      return { direct: direct.total, berth: slowest(all), sent: after.bytes - before.bytes }
    })
    return [
      timeRow('cold 256 MiB, slowest of 16 clients', rounds, 'direct download', { atMost: 0.4 }),
      sentRow('cold 256 MiB, 16 clients: upstream sent', rounds),
    ]
  },
}

export const coldUnshaped: Measure = {
  name: 'cold-unshaped',
  about:
    'one and 16 clients pull a cold blob of 256 MiB from an upstream as fast as it goes; time by a direct download',
  async run(bench) {
    const compare = (clients: number) =>
      eachBlob(bench, {}, async (berth, asked) => {
        const all = (url: string) => Promise.all(Array.from({ length: clients }, () => download(url, asked)))
        const direct = slowest(await all(bench.upstream.url))
        return { direct, berth: slowest(await all(berth.url)) }
      })
    return [
      timeRow('cold 256 MiB unshaped, one client', await compare(1), 'direct download'),
      timeRow('cold 256 MiB unshaped, slowest of 16', await compare(16), '16 direct downloads'),
    ]
  },
}

export const coldRange: Measure = {
  name: 'cold-range',
  about: 'a range of a cold blob of 256 MiB; time by one direct range request, 10 ms away',
  async run(bench) {
    const range = (bytes: string) =>
      eachBlob(bench, shaped, async (berth, asked) => {
        const direct = await download(bench.upstream.url, asked, bytes)
        return { direct: direct.total, berth: (await download(berth.url, asked, bytes)).total }
      })
    const middle = await range(`${size / 2}-${size / 2 + 65_535}`)
    const tail = await range('-1000')
    return [
      timeRow('cold range, 64 KiB in the middle', middle, 'direct range'),
      { ...timeRow('cold range, last 1000 bytes', tail, 'direct range'), ...within(tail, 200) },
    ]
  },
}

export const coldImage: Measure = {
  name: 'cold-image',
  about: 'an image of 24 layers of 2 MiB, pulled as dockerd does (three at a time), the upstream 60 ms away',
  async run(bench) {
    const layers = Array.from({ length: 24 }, () => 2 * mebibyte)
    const rounds = await eachRound(
      bench,
      { bytesPerSecond: 40 * mebibyte, latency: 60 },
      layers,
      async (berth, image) => ({
        direct: await pull(bench.upstream.url, image),
        berth: await pull(berth.url, image),
      }),
    )
    return [timeRow('cold image, 24 layers at 60 ms', rounds, 'direct pull', { atMost: 0.5 })]
  },
}

interface Round {
  /** Milliseconds. */
  direct: number
  berth: number
  /** Bytes. */
  sent?: number
}

/** A cold blob of 256 MiB a round, asked for after the manifest that names it, as every client does. */
function eachBlob(
  bench: Bench,
  shape: Shape,
  act: (berth: Berth, asked: string, digest: string) => Promise<Round>,
): Promise<Round[]> {
  return eachRound(bench, shape, [size], async (berth, image) => {
    await download(berth.url, manifestPath(image))
    const blob = image.layers[0]!
    return act(berth, blobPath(image, blob), blob.digest)
  })
}

/** What a process has pulled before it is measured, in bytes: it is the image that is cold, not the program. */
const before = 512 * mebibyte

/** A fresh image a round, and a Berth that has pulled such images. */
async function eachRound(
  bench: Bench,
  shape: Shape,
  sizes: number[],
  act: (berth: Berth, image: Image) => Promise<Round>,
): Promise<Round[]> {
  const rounds: Round[] = []
  const pinAll = (core: 'load' | 'all') => {
    pinSelf(core)
    bench.upstream.pin(core)
  }
  const count = Math.ceil(before / sizes.reduce((sum, size) => sum + size, 0))
  const others = await Promise.all(Array.from({ length: count }, () => bench.upstream.image(...sizes)))
  // The upstream would be another machine: on the load's core it would give each of its connections less than the CDN does.
  pinAll('all')
  for (let round = 0; round < bench.rounds; round++) {
    const image = await bench.upstream.image(...sizes)
    const berth = await startBerth({ folder: bench.folder, upstream: bench.upstream.url, core: 'all' })
    try {
      await bench.upstream.shape({})
      for (const other of others) await pull(berth.url, other)
      await bench.upstream.shape(shape)
      rounds.push(await act(berth, image))
    } finally {
      await berth.stop()
    }
  }
  pinAll('load')
  await bench.upstream.shape({})
  return rounds
}

function timeRow(what: string, rounds: Round[], name: string, target?: Row['target']): Row {
  const direct = median(rounds.map((round) => round.direct))
  const berth = median(rounds.map((round) => round.berth))
  return { what, unit: 'ms', berth, other: { name, value: direct }, ...(target && { target }) }
}

const within = (rounds: Round[], milliseconds: number) => ({
  result: { value: median(rounds.map((round) => round.berth)), unit: 'ms' },
  target: { atMost: milliseconds },
})

function sentRow(what: string, rounds: Round[]): Row {
  const sent = Math.max(...rounds.map((round) => round.sent!))
  return {
    what,
    unit: 'MiB',
    berth: sent / mebibyte,
    other: { name: 'the blob', value: size / mebibyte },
    target: { atMost: 1.01 },
  }
}

const slowest = (results: Result[]): number => Math.max(...results.map((result) => result.total))

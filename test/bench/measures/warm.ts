import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { download } from '../load/connection.ts'
import { byteRate, generator, requestRate } from '../load/load.ts'
import { gibibyte, mebibyte, type Bench, type Measure, type Row } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { nginxMissing, startNginx } from '../servers/nginx.ts'
import { answers, freePort, run, script } from '../servers/process.ts'
import { blobPath, manifestPath, type Content, type Image } from '../servers/upstream.ts'
import { alternate, median } from '../stats.ts'

const connections = 32

export const warmManifest: Measure = {
  name: 'warm-manifest',
  about: `a manifest by tag from memory, requests a second (${generator}, ${connections} connections)`,
  async run(bench) {
    // About as large as that of an image with ten layers.
    const image = await bench.upstream.image(...Array.from({ length: 10 }, () => 1000))
    return requests(bench, 'warm manifest by tag', manifestPath(image), image.manifest, 0.8)
  },
}

export const warmSmall: Measure = {
  name: 'warm-small',
  about: `a blob of 2 KiB, requests a second (${generator}, ${connections} connections)`,
  async run(bench) {
    const image = await bench.upstream.image(1000)
    return requests(bench, 'warm 2 KiB blob', blobPath(image, image.config), image.config)
  },
}

export const warmBlob: Measure = {
  name: 'warm-blob',
  about: 'a blob of 64 MiB from disk, GiB a second (own client, 4 connections)',
  async run(bench) {
    const image = await bench.upstream.image(64 * mebibyte)
    const blob = image.layers[0]!
    const asked = blobPath(image, blob)
    const rivals = { 'hand pump': await startRival(bench, './hand-pump.ts', image, blob), ...(await nginx(bench)) }
    const rate = (url: string) => byteRate({ url, path: asked, connections: 4, seconds: bench.seconds })
    const figures = await compare(bench, asked, rivals, async (url) => (await rate(url)) / gibibyte)
    return rows('warm 64 MiB blob', 'GiB', figures, { 'hand pump': 0.8 })
  },
}

interface Rival {
  url: string
  cpuSeconds(): number
  stop(): Promise<void>
}

async function requests(bench: Bench, what: string, asked: string, content: Content, target?: number): Promise<Row[]> {
  const rivals = { 'bare Hono': await startRival(bench, './bare-hono.ts', { asked }, content), ...(await nginx(bench)) }
  const figures = await compare(bench, asked, rivals, (url) =>
    requestRate({ url, path: asked, connections, seconds: bench.seconds }),
  )
  return rows(what, 'requests', figures, target === undefined ? {} : { 'bare Hono': target })
}

interface Figures {
  /** By the second. */
  rates: Record<string, number>
  /** By the second of the server's CPU: steadier where the machine has other things to do. */
  perCpu: Record<string, number>
}

/** Medians of Berth and its rivals, all warm and on the one core, measured turn by turn. */
async function compare(
  bench: Bench,
  asked: string,
  rivals: Record<string, Rival>,
  measure: (url: string) => Promise<number>,
): Promise<Figures> {
  const berth = await startBerth({ folder: bench.folder, upstream: bench.upstream.url, core: 'server' })
  const servers: Record<string, Rival> = { Berth: berth, ...rivals }
  try {
    // Once to have it cached, and then until the program is compiled for the work.
    for (const { url } of Object.values(servers)) {
      await download(url, asked)
      await measure(url)
    }
    const perCpu = new Map<string, number[]>()
    const figures = Object.entries(servers).map(([name, server]) => {
      const figure = async () => {
        const [started, cpu] = [performance.now(), server.cpuSeconds()]
        const rate = await measure(server.url)
        const done = (rate * (performance.now() - started)) / 1000
        perCpu.set(name, [...(perCpu.get(name) ?? []), done / (server.cpuSeconds() - cpu)])
        return rate
      }
      return [name, figure] as const
    })
    const rates = await alternate(bench.rounds, Object.fromEntries(figures))
    return { rates, perCpu: Object.fromEntries([...perCpu].map(([name, seen]) => [name, median(seen)])) }
  } finally {
    for (const server of Object.values(servers)) await server.stop()
  }
}

function rows(what: string, unit: string, { rates, perCpu }: Figures, targets: Record<string, number>): Row[] {
  const compared = [
    ...comparisons(what, `${unit}/s`, rates, targets),
    ...comparisons(what, `${unit}/CPU s`, perCpu, {}),
  ]
  return nginxMissing ? [...compared, { what, unit, berth: rates.Berth!, skipped: nginxMissing }] : compared
}

function comparisons(
  what: string,
  unit: string,
  { Berth: berth = 0, ...others }: Record<string, number>,
  targets: Record<string, number>,
): Row[] {
  return Object.entries(others).map(([name, value]) => {
    const target = targets[name]
    const held = target === undefined ? {} : { target: { atLeast: target } }
    return { what, unit, berth, other: { name, value }, ...held }
  })
}

async function nginx(bench: Bench): Promise<Record<string, Rival>> {
  return nginxMissing ? {} : { nginx: await startNginx(bench.folder, bench.upstream.url) }
}

/** A server of ours that has the bytes of `content` in a file of its own. */
async function startRival(
  bench: Bench,
  file: string,
  from: Image | { asked: string },
  content: Content,
): Promise<Rival> {
  const asked = 'asked' in from ? from.asked : blobPath(from, content)
  const answer = await fetch(bench.upstream.url + asked)
  const copy = path.join(bench.folder, content.digest)
  await writeFile(copy, Buffer.from(await answer.arrayBuffer()))
  const port = await freePort()
  const output = path.join(bench.folder, 'rival.log')
  const type = answer.headers.get('content-type')!
  const rival = run(script(file, String(port), copy, type, content.digest), {
    core: 'server',
    output,
  })
  const url = `http://127.0.0.1:${port}`
  await answers(`${url}/v2/`, output)
  return { ...rival, url }
}

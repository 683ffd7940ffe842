import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { Connection } from '../load/connection.ts'
import { manifestType, pushBlob, putManifests, sha256 } from '../load/push.ts'
import { gibibyte, mebibyte, type Bench, type Measure, type Row } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { distributionMissing, startDistribution } from '../servers/distribution.ts'
import type { Core } from '../servers/process.ts'
import { alternate, median } from '../stats.ts'

// Berth answers 201 when what it was sent is on the disk; Distribution leaves that to the kernel, half a minute later.

const repository = 'team/app'
const size = 256 * mebibyte

interface Registry {
  url: string
  cpuSeconds(): number
  stop(): Promise<void>
}

type Registries = Record<string, Registry>

export const pushLayer: Measure = {
  name: 'push-layer',
  about: 'a layer of 256 MiB pushed over one connection, MiB a second, and CPU; Distribution does not sync it',
  run: (bench) =>
    // Several threads have a part in it, as in a fill.
    withRegistries(bench, 'all', async (registries) => {
      const body = randomFillSync(Buffer.allocUnsafeSlow(size))
      const rows: Row[] = []
      for (const form of ['PUT', 'PATCH'] as const) {
        const { rates, costs } = await takeTurns(bench, registries, async (url) => {
          randomFillSync(body, 0, 16)
          const layer = { repository, body, digest: sha256(body) }
          return () => pushOnce(url, (connection) => pushBlob(connection, layer, form))
        })
        rows.push(...compared(`push of 256 MiB by ${form}`, 'MiB/s', scaled(rates, 1 / mebibyte), 0.9))
        rows.push(...compared(`CPU of a push by ${form}`, 's/GiB', scaled(costs, gibibyte)))
      }
      return rows
    }),
}

export const pushManifest: Measure = {
  name: 'push-manifest',
  about: 'manifests of ten layers put a second, each under a tag of its own, and CPU; Distribution does not sync them',
  run: (bench) =>
    withRegistries(bench, 'server', async (registries) => {
      const parts = Array.from({ length: 11 }, (_, i) => Buffer.from(`part ${i}`.padEnd(1000)))
      for (const { url } of Object.values(registries)) {
        await pushOnce(url, async (connection) => {
          for (const body of parts) await pushBlob(connection, { repository, body, digest: sha256(body) })
          return parts.length
        })
      }
      const manifest = manifestsOf(parts)
      const rows: Row[] = []
      for (const connections of [1, 16]) {
        const load = { repository, connections, seconds: bench.seconds, manifest }
        const { rates, costs } = await takeTurns(bench, registries, async (url) => () => putManifests({ url, ...load }))
        rows.push(...compared(`manifest PUTs, ${connections} at once`, 'requests/s', rates, 2))
        rows.push(...compared(`CPU of PUTs, ${connections} at once`, 'ms/request', scaled(costs, 1000)))
      }
      return rows
    }),
}

/** A piece of work, measured from its begin to its end, that returns how much it has done. */
type Work = () => Promise<number>

/** What each registry does a second, and the CPU seconds that it spends on one: the medians, measured turn by turn. */
async function takeTurns(bench: Bench, registries: Registries, prepare: (url: string) => Promise<Work>) {
  const costs = new Map<string, number[]>()
  const figures = Object.entries(registries).map(([name, registry]) => {
    const turn = async () => {
      const work = await prepare(registry.url)
      // What one of them has left to the kernel must not be written in the other's time.
      spawnSync('sync')
      const [started, cpu] = [performance.now(), registry.cpuSeconds()]
      const done = await work()
      const seconds = (performance.now() - started) / 1000
      costs.set(name, [...(costs.get(name) ?? []), (registry.cpuSeconds() - cpu) / done])
      return done / seconds
    }
    return [name, turn] as const
  })
  const rates = await alternate(bench.rounds, Object.fromEntries(figures))
  return { rates, costs: Object.fromEntries([...costs].map(([name, seen]) => [name, median(seen)])) }
}

async function withRegistries(
  bench: Bench,
  core: Core,
  measure: (registries: Registries) => Promise<Row[]>,
): Promise<Row[]> {
  const { folder, upstream } = bench
  const env = { BERTH_ACCESS_ANONYMOUS: 'push', BERTH_HOSTED_NAMESPACES: 'team' }
  const registries: Registries = { Berth: await startBerth({ folder, upstream: upstream.url, core, env }) }
  try {
    if (!distributionMissing) registries.Distribution = await startDistribution(folder, core)
    return await measure(registries)
  } finally {
    for (const registry of Object.values(registries)) await registry.stop()
  }
}

async function pushOnce(url: string, push: (connection: Connection) => Promise<number>): Promise<number> {
  const connection = new Connection(url)
  try {
    return await push(connection)
  } finally {
    connection.close()
  }
}

function compared(what: string, unit: string, figures: Record<string, number>, target?: number): Row[] {
  const { Berth: berth = 0, Distribution: value } = figures
  if (value === undefined) return [{ what, unit, berth, skipped: distributionMissing! }]
  const held = target === undefined ? {} : { target: { atLeast: target } }
  return [{ what, unit, berth, other: { name: 'Distribution 3', value }, ...held }]
}

function scaled(figures: Record<string, number>, factor: number): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value * factor]))
}

/** Manifests of one image that differ in an annotation. */
function manifestsOf([config, ...layers]: readonly Buffer[]): () => { tag: string; bytes: Uint8Array } {
  const describe = (mediaType: string, body: Buffer) => ({ mediaType, digest: sha256(body), size: body.length })
  const image = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describe('application/vnd.oci.image.config.v1+json', config!),
    layers: layers.map((body) => describe('application/vnd.oci.image.layer.v1.tar', body)),
  }
  const start = JSON.stringify(image).slice(0, -1)
  let count = 0
  return () => ({ tag: `t${++count}`, bytes: Buffer.from(`${start},"annotations":{"count":"${count}"}}`) })
}

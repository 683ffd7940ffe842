import { download } from '../load/connection.ts'
import { generator, requestRate } from '../load/load.ts'
import type { Measure } from '../measure.ts'
import { startBerth } from '../servers/berth.ts'
import { manifestPath } from '../servers/upstream.ts'
import { alternate } from '../stats.ts'

const connections = 32
const user = { name: 'ann', password: 'correct horse' }

export const bearerManifest: Measure = {
  name: 'bearer',
  about: `a manifest by tag from memory, with a token and without, requests by the second of CPU (${generator}, ${connections} connections)`,
  async run(bench) {
    const image = await bench.upstream.image(...Array.from({ length: 10 }, () => 1000))
    const path = manifestPath(image)
    const env = { BERTH_ACCESS_USER_USERNAME: user.name, BERTH_ACCESS_USER_PASSWORD: user.password }
    const berth = await startBerth({ folder: bench.folder, upstream: bench.upstream.url, core: 'server', env })
    try {
      const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
      const bearer = `Bearer ${await token(berth.url, path, basic)}`
      const rate = (authorization?: string) => () =>
        requestRate({
          url: berth.url,
          path,
          connections,
          seconds: bench.seconds,
          ...(authorization !== undefined && { authorization }),
        })
      // By the second of the server's CPU: what the token costs, whatever else the machine has to do.
      const perCpu = (measure: () => Promise<number>) => async () => {
        const [started, cpu] = [performance.now(), berth.cpuSeconds()]
        const done = ((await measure()) * (performance.now() - started)) / 1000
        return done / (berth.cpuSeconds() - cpu)
      }
      const figures = { anonymous: perCpu(rate()), bearer: perCpu(rate(bearer)), basic: perCpu(rate(basic)) }
      await download(berth.url, path)
      for (const figure of Object.values(figures)) await figure()
      const rates = await alternate(bench.rounds, figures)
      const row = (what: string, rate: number) => {
        const other = { name: 'anonymous', value: rates.anonymous }
        return { what, unit: 'requests/CPU s', berth: rate, other, target: { atLeast: 0.8 } }
      }
      return [row('warm manifest, Bearer', rates.bearer), row('warm manifest, Basic', rates.basic)]
    } finally {
      await berth.stop()
    }
  },
}

async function token(url: string, path: string, authorization: string): Promise<string> {
  const [, name = ''] = /^\/v2\/(.+)\/manifests\//.exec(path) ?? []
  const answer = await fetch(`${url}/token?scope=repository:${name}:pull`, { headers: { authorization } })
  return ((await answer.json()) as { token: string }).token
}

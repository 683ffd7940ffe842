import { describe, expect, it } from 'vitest'
import { isBuilt } from '../helpers/berth-process.ts'
import { fetchRaw } from '../helpers/http.ts'
import { eventually } from '../helpers/open-files.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, partialFiles, recordedBytes, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const name = 'library/app'

interface Warm {
  lists: { run?: { endedAt?: number; outcome?: string; references: { reference: string; outcome: string }[] } }[]
}

describe('a process killed while it fetches a warm list', () => {
  it('goes on after the next start: what was done is not looked at again, and what had come is not fetched again', async () => {
    const content = {
      [name]: {
        blobs: { config: '{}', small: 'small', big: { size: 24 * mebibyte, seed: 31 } },
        manifests: { s: { config: 'config', layers: ['small'] }, m: { config: 'config', layers: ['big'] } },
        tags: { 1: 's', 2: 'm' },
      },
    }
    const upstream = await startUpstream({ content })
    const big = upstream.content.digest(name, 'big')
    const list = { name: 'base', references: [`docker.io/${name}:{1,2}`] }
    const home = makeHome(upstream, { warm: [list], access: { anonymous: 'push' } })
    const warm = async (url: string) => (await fetchRaw(`${url}/api/v1/warm`)).json() as Warm
    const first = await serve(home, { built: isBuilt })
    upstream.set({ bytesPerSecond: mebibyte })
    const headers = { 'content-type': 'application/json' }
    await fetchRaw(`${first.url}/api/v1/warm/fetch`, { method: 'POST', headers, body: '{"list":"base"}' })
    await eventually(
      () => recordedBytes(home, big) > mebibyte,
      () => 'a record of what has come',
      20_000,
    )
    await first.kill()
    const kept = recordedBytes(home, big)
    upstream.set({ bytesPerSecond: undefined })
    upstream.forget()

    const { url } = await serve(home, { built: isBuilt })
    await expect.poll(async () => (await warm(url)).lists[0]?.run?.outcome, { timeout: 30_000 }).toBe('ok')
    const run = (await warm(url)).lists[0]!.run!
    expect(run.references).toMatchObject([
      { reference: `docker.io/${name}:1`, outcome: 'ok' },
      { reference: `docker.io/${name}:2`, outcome: 'ok' },
    ])
    expect(upstream.requests.every((line) => line.startsWith('GET') && line.endsWith('206'))).toBe(true)
    expect(upstream.bytesSent).toBeLessThanOrEqual(24 * mebibyte - kept)
    await eventually(
      () => partialFiles(home).length === 0,
      () => partialFiles(home).join(),
    )
  }, 90_000)
})

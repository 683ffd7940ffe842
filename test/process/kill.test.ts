import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { eventually } from '../helpers/open-files.ts'
import { makeRandom } from '../helpers/random.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, partialFiles, recordedBytes, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const name = 'library/app'

/** More in CI, where there is time. */
const kills = Number(process.env.BERTH_TEST_KILLS ?? (process.env.CI ? 100 : 5))
const seed = Number(process.env.BERTH_TEST_SEED ?? Date.now() % 1_000_000)

async function startSlowUpstream(size: number) {
  const content = {
    [name]: {
      blobs: { config: '{}', big: { size, seed: 31 } },
      manifests: { m: { config: 'config', layers: ['big'] } },
      tags: { 1: 'm' },
    },
  }
  const upstream = await startUpstream({ content })
  return { upstream, big: upstream.content.digest(name, 'big'), bytes: upstream.content.bytes(name, 'big') }
}

describe('a process killed in mid-fill', () => {
  it('goes on where it was after the next start, with the right bytes and no orphan', async () => {
    const { upstream, big, bytes } = await startSlowUpstream(24 * mebibyte)
    const home = makeHome(upstream)
    const first = await serve(home)
    await fetchRaw(`${first.url}/v2/${name}/manifests/1`)
    upstream.set({ bytesPerSecond: mebibyte })
    const client = await openRaw(`${first.url}/v2/${name}/blobs/${big}`)
    void client.rest()
    await eventually(
      () => recordedBytes(home, big) > mebibyte,
      () => 'a record of what has come',
      15_000,
    )
    await first.kill()
    const kept = recordedBytes(home, big)
    upstream.set({ bytesPerSecond: undefined })
    upstream.forget()
    const second = await serve(home)
    expect((await fetchRaw(`${second.url}/v2/${name}/blobs/${big}`)).raw.equals(bytes)).toBe(true)
    expect(upstream.requests.every((line) => line.endsWith('206'))).toBe(true)
    expect(upstream.bytesSent).toBeLessThanOrEqual(bytes.length - kept)
    await eventually(
      () => partialFiles(home).length === 0,
      () => partialFiles(home).join(),
    )
  })

  it('starts without its upstream, and serves what it has (case 22)', async () => {
    const { upstream, big, bytes } = await startSlowUpstream(mebibyte)
    const home = makeHome(upstream)
    const first = await serve(home)
    await fetchRaw(`${first.url}/v2/${name}/manifests/1`)
    await fetchRaw(`${first.url}/v2/${name}/blobs/${big}`)
    await first.kill()
    await upstream.stop()
    const second = await serve(home)
    expect((await fetchRaw(`${second.url}/v2/${name}/manifests/1`)).status).toBe(200)
    expect((await fetchRaw(`${second.url}/v2/${name}/blobs/${big}`)).raw.equals(bytes)).toBe(true)
    const unknown = await fetchRaw(`${second.url}/v2/${name}/manifests/2`)
    expect(unknown.status).toBe(502)
  })

  it(
    `at random points, ${kills} times (seed ${seed}): every blob in the store verifies, every pull works, nothing is orphaned`,
    { timeout: 60_000 + kills * 5_000 },
    async () => {
      const random = makeRandom(seed)
      const { upstream, big, bytes } = await startSlowUpstream(20 * mebibyte)
      const home = makeHome(upstream)
      upstream.set({ bytesPerSecond: 20 * mebibyte })
      for (let i = 0; i < kills; i++) {
        const serving = await serve(home)
        const { url } = serving
        upstream.forget()
        const until = random.whole(0, 6 * mebibyte)
        const pulls = [fetchRaw(`${url}/v2/${name}/manifests/1`), fetchRaw(`${url}/v2/${name}/blobs/${big}`)]
        const answered = Promise.allSettled(pulls)
        await Promise.race([upstream.until(({ bytesSent }) => bytesSent >= until).catch(() => {}), answered])
        await serving.kill()
        const [, blob] = await answered
        if (blob?.status === 'fulfilled' && blob.value.complete && blob.value.status === 200) {
          expect(blob.value.raw.equals(bytes)).toBe(true)
        }
        await expectStoreRight(home)
      }
      upstream.set({ bytesPerSecond: undefined })
      const { url } = await serve(home)
      expect((await fetchRaw(`${url}/v2/${name}/manifests/1`)).status).toBe(200)
      expect((await fetchRaw(`${url}/v2/${name}/blobs/${big}`)).raw.equals(bytes)).toBe(true)
      await eventually(
        () => partialFiles(home).length === 0,
        () => partialFiles(home).join(),
      )
    },
  )
})

async function expectStoreRight(home: string): Promise<void> {
  const root = path.join(home, 'data', 'blobs')
  for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const hash = createHash('sha256')
      .update(readFileSync(path.join(file.parentPath, file.name)))
      .digest('hex')
    expect(hash).toBe(file.name)
  }
}

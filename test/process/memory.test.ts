import { describe, expect, it } from 'vitest'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { isBuilt } from '../helpers/berth-process.ts'
import { eventually } from '../helpers/open-files.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, openDescriptors, residentBytes, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const name = 'library/app'
/** 1024 in CI, in MiB. */
const size = Number(process.env.BERTH_TEST_BLOB_MIB ?? (process.env.CI ? 1024 : 256)) * mebibyte

describe('memory', () => {
  it.skipIf(!isBuilt)(
    `stays under 150 MiB while 32 slow clients read a blob of ${size / mebibyte} MiB that is being filled (case 43)${isBuilt ? '' : ': needs npm run build'}`,
    // When the collector runs differs by some MiB from one process to the next.
    { timeout: 120_000, retry: 2 },
    async () => {
      const content = { [name]: { blobs: { big: { size, seed: 51 } } } }
      const upstream = await startUpstream({ content, bytesPerSecond: 40 * mebibyte })
      const { url, berth } = await serve(makeHome(upstream), { built: true })
      const pid = berth.child.pid!
      const big = upstream.content.digest(name, 'big')
      const clients = await Promise.all(Array.from({ length: 32 }, () => openRaw(`${url}/v2/${name}/blobs/${big}`)))
      let most = 0
      const fillEnds = upstream.until(({ bytesSent }) => bytesSent >= size, 100_000)
      const filled = fillEnds.then(() => 'filled' as const)
      // Each takes a little now and then, and the fill goes on at full speed all the same.
      for (let at = 0; (await Promise.race([filled, takeTurn(clients, 16 * 1024)])) !== 'filled'; at++) {
        most = Math.max(most, residentBytes(pid))
      }
      most = Math.max(most, residentBytes(pid))
      clients.forEach((client) => client.destroy())
      expect(upstream.sentAgain(big)).toBe(0)
      expect(most / mebibyte).toBeLessThan(150)
    },
  )

  it(
    'and descriptors are level after 300 downloads that clients broke off (case 66, undici 3230)',
    { timeout: 60_000 },
    async () => {
      const content = { [name]: { blobs: { big: { size: 8 * mebibyte, seed: 52 } } } }
      const upstream = await startUpstream({ content })
      const { url, berth } = await serve(makeHome(upstream))
      const pid = berth.child.pid!
      const blob = `${url}/v2/${name}/blobs/${upstream.content.digest(name, 'big')}`
      const breakOff = async () => {
        const client = await openRaw(blob)
        await client.read(1000)
        client.destroy()
      }
      await fetchRaw(blob)
      for (let i = 0; i < 20; i++) await breakOff()
      const before = openDescriptors(pid)
      for (let round = 0; round < 30; round++) await Promise.all(Array.from({ length: 10 }, breakOff))
      await eventually(
        () => openDescriptors(pid) <= before + 10,
        () => `${openDescriptors(pid)} descriptors, ${before} before`,
      )
    },
  )
})

async function takeTurn(clients: { read(count: number): Promise<Buffer> }[], count: number): Promise<'turn'> {
  await Promise.all(clients.map((client) => client.read(count)))
  return 'turn'
}

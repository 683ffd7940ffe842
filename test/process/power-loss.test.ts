import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { makeDisk, noDisk } from '../helpers/power.ts'
import { lengthOf, Pusher, sha256 } from '../helpers/push.ts'
import { makeHostingHome, serve } from './serving.ts'

const mebibyte = 1024 * 1024

describe.skipIf(noDisk)(`after a power loss${noDisk ? `: ${noDisk}` : ''}`, () => {
  it(
    'everything that was answered 201 or 202 is so, and nothing half-written is seen',
    { timeout: 120_000 },
    async () => {
      const disk = makeDisk(128 * mebibyte)
      const { url } = await serve(makeHostingHome(path.join(disk.folder, 'data')))
      const pusher = new Pusher(url)
      const layers = [1, 2, 3].map((seed) => makeBytes({ size: mebibyte, seed }).read())
      const expectLeft = async (tags: (string | undefined)[], unfinished?: Buffer) => {
        const folder = path.join(disk.afterPowerLoss(), 'data')
        const serving = await serve(makeHostingHome(folder))
        const after = new Pusher(serving.url)
        for (const [i, tag] of tags.entries()) {
          expect(await after.status(`manifests/t${i}`)).toBe(tag === undefined ? 404 : 200)
          if (tag === undefined) continue
          expect((await after.send('GET', `manifests/t${i}`)).headers['docker-content-digest']).toBe(tag)
          expect((await after.send('GET', `blobs/${sha256(layers[i]!)}`)).raw.equals(layers[i]!)).toBe(true)
        }
        if (unfinished) expect(await after.status(`blobs/${sha256(unfinished)}`)).toBe(404)
        await serving.kill()
      }

      const first = await pusher.image('t0', layers[0]!)
      await expectLeft([first])
      const second = await pusher.image('t1', layers[1]!)
      await expectLeft([first, second])
      // A push that is halfway is not there at all.
      const location = await pusher.open()
      const half = layers[2]!.subarray(0, mebibyte / 2)
      expect((await fetchRaw(location, { method: 'PATCH', body: half, headers: lengthOf(half) })).status).toBe(202)
      await expectLeft([first, second], layers[2])
      expect((await pusher.send('DELETE', 'manifests/t0')).status).toBe(202)
      await expectLeft([undefined, second], layers[2])
      expect((await pusher.blob(layers[2]!)).status).toBe(201)
      const last = path.join(disk.afterPowerLoss(), 'data', 'blobs', 'sha256')
      const files = readdirSync(last, { recursive: true }).map(String)
      expect(files.some((file) => file.endsWith(sha256(layers[2]!).slice(7)))).toBe(true)
    },
  )
})

import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { isBuilt } from '../helpers/berth-process.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { eventually } from '../helpers/open-files.ts'
import { lengthOf, Pusher, sha256 } from '../helpers/push.ts'
import { makeHostingHome, serve } from './serving.ts'

const mebibyte = 1024 * 1024
/** More in CI, where there is time. */
const kills = Number(process.env.BERTH_TEST_KILLS ?? (process.env.CI ? 50 : 4))
const deadline = 60_000 + kills * 6_000

const uploads = (home: string): string[] => readdirSync(path.join(home, 'data', 'uploads'))

describe('a process killed', () => {
  it('right after each 201 has what it acknowledged', { timeout: deadline }, async () => {
    const home = makeHostingHome()
    for (let i = 0; i < kills; i++) {
      const serving = await serve(home, { built: isBuilt })
      const pusher = new Pusher(serving.url)
      for (let before = 0; before < i; before++) expect(await pusher.status(`manifests/${before}`)).toBe(200)
      const layer = `layer ${i}`
      await pusher.image(String(i), layer)
      await serving.kill()
    }
    const { url } = await serve(home, { built: isBuilt })
    for (let i = 0; i < kills; i++) {
      const got = await new Pusher(url).send('GET', `blobs/${sha256(`layer ${i}`)}`)
      expect([got.status, got.text()]).toEqual([200, `layer ${i}`])
    }
  })

  it(`in mid-push, ${kills} times: the push goes on where it was and ends whole`, { timeout: deadline }, async () => {
    const home = makeHostingHome()
    const bytes = makeBytes({ size: (kills + 1) * 3 * mebibyte, seed: 77 }).read()
    let serving = await serve(home, { built: isBuilt })
    const location = new URL(await new Pusher(serving.url).open()).pathname
    for (let i = 0; i < kills; i++) {
      const offset = await received(serving.url + location)
      const until = offset + mebibyte + ((i * 7919) % mebibyte)
      const rest = Readable.from(partsOf(bytes, offset))
      const sent = fetchRaw(serving.url + location, { method: 'PATCH', body: rest }).catch(() => undefined)
      const file = path.join(home, 'data', 'uploads', path.basename(location))
      await eventually(
        () => existsSync(file) && statSync(file).size >= until - mebibyte,
        () => `${until} bytes`,
        15_000,
      )
      await serving.kill()
      await sent
      serving = await serve(home, { built: isBuilt })
      expect(await pusherStatus(serving.url, sha256(bytes))).toBe(404)
    }
    const offset = await received(serving.url + location)
    const body = bytes.subarray(offset)
    const end = `${serving.url}${location}?digest=${sha256(bytes)}`
    expect((await fetchRaw(end, { method: 'PUT', body, headers: lengthOf(body) })).status).toBe(201)
    const got = await new Pusher(serving.url).send('GET', `blobs/${sha256(bytes)}`)
    expect(got.raw.equals(bytes)).toBe(true)
    expect(uploads(home)).toEqual([])
  })
})

const pusherStatus = (url: string, digest: string) => new Pusher(url).status(`blobs/${digest}`)

/** How far an upload has come, as its status says; `0-0` may be one byte or none, which the last byte's place decides. */
async function received(location: string): Promise<number> {
  const { status, headers } = await fetchRaw(location)
  expect(status).toBe(204)
  const last = Number(String(headers.range).split('-')[1])
  return last === 0 ? 0 : last + 1
}

/** The rest of the bytes, slowly enough to be cut off in between. */
async function* partsOf(bytes: Buffer, from: number): AsyncGenerator<Buffer> {
  for (let at = from; at < bytes.length; at += 64 * 1024) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    yield bytes.subarray(at, at + 64 * 1024)
  }
}

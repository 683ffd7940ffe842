import { readdirSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isBuilt } from '../helpers/berth-process.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { descriptor, imageOf, lengthOf, Pusher } from '../helpers/push.ts'
import { makeHostingHome, residentBytes, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte
/** More in CI, where there is room. */
const size = Number(process.env.BERTH_TEST_BLOB_MIB ?? (process.env.CI ? 4096 : 512)) * mebibyte
/** By hand 330, longer than any time limit of Node's and ours, in seconds; elsewhere longer than it takes to see that it works. */
const steadily = Number(process.env.BERTH_TEST_UPLOAD_SECONDS ?? (process.env.CI ? 30 : 3))

describe('a large layer', () => {
  it.skipIf(!isBuilt)(
    `of ${size / mebibyte} MiB is taken in constant memory (case 43)${isBuilt ? '' : ': needs npm run build'}`,
    // When the collector runs differs by some MiB from one process to the next.
    { timeout: 300_000, retry: 2 },
    async () => {
      const { url, berth } = await serve(makeHostingHome(), { built: true })
      const bytes = makeBytes({ size, seed: 60 })
      const seen = { early: 0, late: 0 }
      const watched = function* () {
        let at = 0
        for (const chunk of bytes.chunks()) {
          const part = at < size / 4 ? 'early' : 'late'
          seen[part] = Math.max(seen[part], residentBytes(berth.child.pid!))
          at += chunk.length
          yield chunk
        }
      }
      const pusher = new Pusher(url)
      const body = Readable.from(watched(), { highWaterMark: 1 })
      const headers = { 'content-length': size }
      const sent = await fetchRaw(await pusher.open(), { method: 'PATCH', body, headers })
      expect([sent.status, sent.headers.range]).toEqual([202, `0-${size - 1}`])
      const place = new URL(sent.headers.location!, url)
      const ended = await fetchRaw(`${place.href}?digest=${bytes.digest}`, { method: 'PUT', headers: lengthOf('') })
      expect(ended.status).toBe(201)
      expect(seen.late / mebibyte).toBeLessThan(150)
      expect((seen.late - seen.early) / mebibyte).toBeLessThan(30)
    },
  )

  it('beyond 4 GiB has the right offsets, ranges and sizes (case 43)', { timeout: 400_000 }, async () => {
    const home = makeHostingHome()
    const { url } = await serve(home)
    const pusher = new Pusher(url)
    const location = await pusher.open()
    const start = 5 * gibibyte
    // As if so many zeros had come before a restart: a file with a hole takes no room.
    truncateSync(path.join(home, 'data', 'uploads', path.basename(location)), start)
    const digest = 'sha256:29fd4033471b4af8288b43234c7c11df68a5fb9160817005974042eeb97fd714'
    const patch = (range: string) => {
      const headers = { ...lengthOf('end'), 'content-range': range }
      return fetchRaw(location, { method: 'PATCH', body: 'end', headers })
    }
    const refused = await patch(`${start - 2 ** 32}-${start - 2 ** 32 + 2}`)
    expect([refused.status, refused.headers.range]).toEqual([416, `0-${start - 1}`])
    const taken = await patch(`${start}-${start + 2}`)
    expect([taken.status, taken.headers.range]).toEqual([202, `0-${start + 2}`])
    expect((await fetchRaw(`${location}?digest=${digest}`, { method: 'PUT', headers: lengthOf('') })).status).toBe(201)

    const range = { range: `bytes=${start}-` }
    const end = await pusher.send('GET', `blobs/${digest}`, { headers: range })
    expect([end.status, end.text()]).toEqual([206, 'end'])
    expect(end.headers['content-range']).toBe(`bytes ${start}-${start + 2}/${start + 3}`)
    const head = await pusher.send('HEAD', `blobs/${digest}`)
    expect(head.headers['content-length']).toBe(String(start + 3))
    await pusher.blob('{}')
    const image = (layerSize: number) => {
      const layer = { ...descriptor('end'), digest, size: layerSize }
      return { ...imageOf('{}'), layers: [layer] }
    }
    expect((await pusher.manifest('1', image(start + 3 - 2 ** 32))).status).toBe(400)
    expect((await pusher.manifest('1', image(start + 3))).status).toBe(201)
  })

  it('of 200 MiB from two clients at once is one file, and both get 201 (case 53)', { timeout: 120_000 }, async () => {
    const home = makeHostingHome()
    const { url } = await serve(home)
    const bytes = makeBytes({ size: 200 * mebibyte, seed: 61 })
    const pushers = ['team/one', 'team/two'].map((name) => new Pusher(url, name))
    const push = async (pusher: Pusher) => {
      const body = Readable.from(bytes.chunks(), { highWaterMark: 1 })
      const headers = { 'content-length': bytes.size }
      return fetchRaw(`${await pusher.open()}?digest=${bytes.digest}`, { method: 'PUT', body, headers })
    }
    expect((await Promise.all(pushers.map(push))).map(({ status }) => status)).toEqual([201, 201])
    const hex = bytes.digest.slice('sha256:'.length)
    expect(readdirSync(path.join(home, 'data', 'blobs', 'sha256', hex.slice(0, 2)))).toEqual([hex])
    expect(readdirSync(path.join(home, 'data', 'uploads'))).toEqual([])
    for (const pusher of pushers) {
      expect((await pusher.send('HEAD', `blobs/${bytes.digest}`)).headers['content-length']).toBe(String(bytes.size))
    }
  })
})

describe('an upload', () => {
  it(
    `that goes on slowly for ${steadily} s is not cut off: only idle time counts (case 43)`,
    { timeout: (steadily + 60) * 1000 },
    async () => {
      const { url } = await serve(makeHostingHome())
      const { hostname, port, pathname } = new URL(await new Pusher(url).open())
      const socket = connect(Number(port), hostname)
      const length = steadily * 2
      socket.write(`PATCH ${pathname} HTTP/1.1\r\nHost: berth\r\nContent-Length: ${length}\r\n\r\n`)
      const answered = once(socket, 'data').then(([data]) => String(data))
      for (let i = 0; i < length; i++) {
        socket.write('x')
        await sleep(500)
      }
      expect(await answered).toMatch(new RegExp(`^HTTP/1.1 202 [^]*\r\nRange: 0-${length - 1}\r\n`, 'i'))
      socket.destroy()
    },
  )
})

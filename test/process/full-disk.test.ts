import { expect, it } from 'vitest'
import path from 'node:path'
import { expectError } from '../helpers/api-table.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { mountSmallDisk, noSmallDisk } from '../helpers/small-disk.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { lengthOf, Pusher } from '../helpers/push.ts'
import { makeHome, makeHostingHome, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const name = 'library/app'

it.skipIf(noSmallDisk)(
  `a full disk fails no pull; a metric and a log line say so (case 45)${noSmallDisk ? `: ${noSmallDisk}` : ''}`,
  async () => {
    const content = { [name]: { blobs: { big: { size: 6 * mebibyte, seed: 81 } } } }
    const upstream = await startUpstream({ content })
    const disk = mountSmallDisk({ size: 16 * mebibyte })
    const data = path.join(disk.folder, 'data')
    const { url, berth } = await serve(makeHome(upstream, { storage: { data, minFree: 0 } }))
    disk.fill(2 * mebibyte)
    const blob = `${url}/v2/${name}/blobs/${upstream.content.digest(name, 'big')}`
    for (let i = 0; i < 2; i++) {
      expect((await fetchRaw(blob)).raw.equals(upstream.content.bytes(name, 'big'))).toBe(true)
    }
    expect((await fetchRaw(`${url}/metrics`)).text()).toMatch(/^berth_storage_failures_total [1-9]/m)
    await berth.printed(/"level":"?(error|50|warn|40)"?.*ENOSPC/)
    expect((await fetchRaw(`${url}/healthz`)).status).toBe(200)
  },
)

it.skipIf(noSmallDisk)(
  `a full disk refuses a push with 507, and the push goes on when there is room (case 45)${noSmallDisk ? `: ${noSmallDisk}` : ''}`,
  async () => {
    const disk = mountSmallDisk({ size: 32 * mebibyte })
    const { url } = await serve(makeHostingHome(path.join(disk.folder, 'data')))
    const pusher = new Pusher(url)
    const bytes = makeBytes({ size: 6 * mebibyte, seed: 82 })
    const location = await pusher.open()
    disk.fill(3 * mebibyte)
    const patch = async () => {
      const { headers } = await fetchRaw(location)
      const last = Number(String(headers.range).split('-')[1])
      const body = bytes.read(last === 0 ? 0 : last + 1)
      return fetchRaw(location, { method: 'PATCH', body, headers: lengthOf(body) })
    }
    const refused = await patch()
    expect(refused.status).toBe(507)
    expectError(refused, 'UNAVAILABLE')
    disk.free()
    expect((await patch()).headers.range).toBe(`0-${bytes.size - 1}`)
    const end = await fetchRaw(`${location}?digest=${bytes.digest}`, { method: 'PUT', headers: lengthOf('') })
    expect(end.status).toBe(201)
    expect((await pusher.send('GET', `blobs/${bytes.digest}`)).raw.equals(bytes.read())).toBe(true)
  },
)

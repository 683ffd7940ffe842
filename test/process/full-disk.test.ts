import { expect, it } from 'vitest'
import path from 'node:path'
import { fetchRaw } from '../helpers/http.ts'
import { mountSmallDisk, noSmallDisk } from '../helpers/small-disk.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, serve } from './serving.ts'

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

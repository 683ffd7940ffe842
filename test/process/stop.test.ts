import { describe, expect, it } from 'vitest'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, partialFiles, recordedBytes, serve } from './serving.ts'

const mebibyte = 1024 * 1024
const name = 'library/app'
const size = 8 * mebibyte
const content = { [name]: { blobs: { big: { size, seed: 41 } } } }

/** A client in the middle of a blob that Berth is still fetching, when Berth is told to stop. */
async function startStopping(grace: string) {
  const upstream = await startUpstream({ content })
  const home = makeHome(upstream, { shutdownGrace: grace })
  const { berth, url } = await serve(home)
  const big = upstream.content.digest(name, 'big')
  const release = upstream.hold(/blobs/, 4 * mebibyte)
  const client = await openRaw(`${url}/v2/${name}/blobs/${big}`)
  const begin = await client.read(2 * mebibyte)
  berth.child.kill('SIGTERM')
  await berth.printed(/SIGTERM: stopping/)
  return { upstream, home, berth, url, big, release, client, begin }
}

describe('a graceful stop', () => {
  it('lets running responses finish, takes no new connection, and ends with 0', async () => {
    const { upstream, home, berth, url, release, client, begin } = await startStopping('20s')
    await expect(fetchRaw(`${url}/v2/`)).rejects.toThrow(/ECONNREFUSED/)
    release()
    const got = Buffer.concat([begin, await client.rest()])
    expect(client.complete).toBe(true)
    expect(got.equals(upstream.content.bytes(name, 'big'))).toBe(true)
    expect(await berth.ended).toEqual({ code: 0, signal: null })
    expect(partialFiles(home)).toEqual([])
  })

  it('breaks what has not finished in time, never with a clean end, and keeps what came', async () => {
    const { upstream, home, berth, big, release, client } = await startStopping('300ms')
    await client.rest()
    expect(client.complete).toBe(false)
    expect(await berth.ended).toEqual({ code: 0, signal: null })
    expect(recordedBytes(home, big)).toBeGreaterThanOrEqual(2 * mebibyte)
    release()
    upstream.forget()
    const again = await serve(home)
    const whole = await fetchRaw(`${again.url}/v2/${name}/blobs/${big}`)
    expect(whole.raw.equals(upstream.content.bytes(name, 'big'))).toBe(true)
    expect(upstream.bytesSent).toBeLessThan(size - 2 * mebibyte)
  })
})

import { once } from 'node:events'
import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeFolder } from './helpers/folder.ts'
import { fetchRaw, openRaw } from './helpers/http.ts'
import { openFilesIn } from './helpers/open-files.ts'
import { startBerth } from './helpers/start.ts'
import { startUpstream } from './helpers/upstream.ts'

const layer = { size: 4 * 1024 * 1024, seed: 1 }
const image = { blobs: { layer }, manifests: { m: { config: 'layer', layers: ['layer'] } }, tags: { 20: 'm' } }

async function start(shutdownGrace: string) {
  const upstream = await startUpstream({ content: { 'org/app': image } })
  const berth = await startBerth({ shutdownGrace, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  const blob = `${berth.url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'layer')}`
  return { upstream, berth, blob }
}

describe('a stop', () => {
  it('lets a running response finish, and takes no new connections', async () => {
    const { upstream, berth, blob } = await start('20s')
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const running = await openRaw(blob)
    const stopped = berth.stop()
    await expect(fetchRaw(`${berth.url}/v2/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    release()
    const body = await running.rest()
    expect([running.complete, body.equals(upstream.content.bytes('org/app', 'layer'))]).toEqual([true, true])
    await stopped
  })

  it('breaks off what is not done when its time is over, and never ends it as if it were whole', async () => {
    const { upstream, berth, blob } = await start('50ms')
    upstream.hold(/blobs/, 1024 * 1024)
    const running = await openRaw(blob)
    await berth.stop()
    const body = await running.rest()
    expect([running.complete, body.length < layer.size]).toEqual([false, true])
  })

  it('does not wait for idle connections', async () => {
    const { berth } = await start('20s')
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    await fetchRaw(`${berth.url}/v2/`, { agent })
    const started = performance.now()
    await berth.stop()
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('does not wait for a connection that was busy when it began and is idle now', async () => {
    const { upstream, berth, blob } = await start('20s')
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const running = await openRaw(blob, { agent })
    const stopped = berth.stop()
    release()
    const started = performance.now()
    await running.rest()
    await stopped
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('a start', () => {
  it('at an address that is taken fails, and leaves the data folder free for the next', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const data = makeFolder()
    await expect(startBerth({ data, listen: `127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect((await fetchRaw(`${(await startBerth({ data })).url}/readyz`)).status).toBe(200)
  })

  it('listens on IPv6, too', async () => {
    const berth = await startBerth({ listen: '[::1]:0' })
    expect(berth.url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await fetchRaw(`${berth.url}/v2/`)).status).toBe(200)
  })

  it('needs no upstream that can be reached (case 22: distribution #1435)', async () => {
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: 'http://127.0.0.1:9' }] })
    expect((await fetchRaw(`${berth.url}/readyz`)).status).toBe(200)
  })
})

it('keeps no file open when its address is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const data = makeFolder()
  await expect(startBerth({ data, listen: `127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(openFilesIn(data)).toEqual([])
})

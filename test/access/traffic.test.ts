import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Traffic } from '../../src/access/access.ts'
import { expectError } from '../helpers/api-table.ts'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { basic, startWithUsers } from '../helpers/login.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const layer = { size: 4 * 1024 * 1024, seed: 1 }
const image = { blobs: { layer }, manifests: { m: { config: 'layer', layers: ['layer'] } }, tags: { 1: 'm' } }
/** More than may stand in line. */
const crowd = 300

async function start(limits: object, settings: BerthOptions = {}) {
  const upstream = await startUpstream({ content: { 'org/app': image } })
  const upstreams = [{ name: 'docker.io', url: upstream.url }]
  const berth = await startBerth({ limits, upstreams, ...settings })
  const blob = `${berth.url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'layer')}`
  const get = (localAddress: string, path = '/v2/') =>
    fetchRaw(berth.url + path, { agent: new Agent({ localAddress, keepAlive: false }) })
  const from = async (localAddress: string) => (await get(localAddress)).status
  return { upstream, berth, blob, get, from }
}

describe('requests of one client at once', () => {
  it('are no more than limits.requestsAtOnce: the next waits for its turn, and others are served', async () => {
    const { upstream, blob, get, from } = await start({ requestsAtOnce: 2 })
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const running = [await openRaw(blob), await openRaw(blob)]
    let served = 0
    const waiting = [1, 2, 3].map(() => from('127.0.0.1').finally(() => served++))
    expect(await from('127.0.0.2')).toBe(200)
    // Who watches over the process must not take it for dead.
    expect((await get('127.0.0.1', '/healthz')).status).toBe(200)
    expect(served).toBe(0)
    release()
    for (const answer of running) expect((await answer.rest()).length).toBe(layer.size)
    expect(await Promise.all(waiting)).toEqual([200, 200, 200])
    expect(await from('127.0.0.1')).toBe(200)
  })

  it('that would make the line too long are told to come again', async () => {
    const { upstream, blob, get } = await start({ requestsAtOnce: 1 })
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const running = await openRaw(blob)
    const all = Array.from({ length: crowd }, () => get('127.0.0.1'))
    const refused = await Promise.race(all)
    expectError(refused, 'TOOMANYREQUESTS')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    release()
    await running.rest()
    const statuses = (await Promise.all(all)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200).length).toBe(256)
    const metrics = (await get('127.0.0.2', '/metrics')).text()
    expect(metrics).toContain(`berth_requests_turned_away_total{why="at once"} ${crowd - 256}`)
  })

  it('end with their connections, however these end, also in line', async () => {
    const { upstream, blob, from } = await start({ requestsAtOnce: 2 })
    upstream.hold(/blobs/, 1024 * 1024)
    for (let round = 0; round < 3; round++) {
      const running = [await openRaw(blob), await openRaw(blob)]
      const abort = new AbortController()
      const left = [1, 2, 3].map(() => openRaw(blob, { signal: abort.signal }).catch(() => 'left'))
      const next = from('127.0.0.1')
      abort.abort()
      for (const answer of running) answer.destroy()
      expect(await Promise.all(left)).toEqual(['left', 'left', 'left'])
      expect(await next).toBe(200)
    }
  })

  it('are counted by the address that a trusted proxy tells', async () => {
    const { upstream, berth, blob } = await start({ requestsAtOnce: 1 }, { trustedProxies: ['127.0.0.1'] })
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const get = (client: string) => fetchRaw(`${berth.url}/v2/`, { headers: { 'x-forwarded-for': client } })
    const running = await openRaw(blob, { headers: { 'x-forwarded-for': '203.0.113.1' } })
    let served = false
    const waiting = get('203.0.113.1').finally(() => (served = true))
    expect((await get('203.0.113.2')).status).toBe(200)
    expect(served).toBe(false)
    release()
    await running.rest()
    expect((await waiting).status).toBe(200)
  })

  it('stand in line for a while and are then turned away, and what is let in later is counted right', async () => {
    const traffic = new Traffic({ requestsAtOnce: 1 }, Date.now, 50)
    expect(traffic.enter('a')).toBeUndefined()
    expect(await traffic.enter('a')).toEqual({ why: 'at once', wait: 1_000 })
    const next = traffic.enter('a')
    traffic.leave('a')
    expect(await next).toBeUndefined()
    expect(await traffic.enter('a')).toMatchObject({ why: 'at once' })
    traffic.leave('a')
    expect(traffic.enter('a')).toBeUndefined()
  })
})

describe('requests of one client each second', () => {
  it('may be ten times as many at once after a pause, and are then held back and turned away', async () => {
    const clock = makeClock()
    const traffic = new Traffic({ requestsAtOnce: 1_000, requestsPerSecond: 20 }, () => clock.now(), 100)
    const burst = () => Array.from({ length: 200 }, () => traffic.enter('a'))
    expect(new Set(burst())).toEqual(new Set([undefined]))
    const held = [traffic.enter('a'), traffic.enter('a')]
    expect(traffic.enter('a')).toEqual({ why: 'per second', wait: 50 })
    expect(traffic.enter('b')).toBeUndefined()
    for (const each of held) expect(await each).toBeUndefined()
    clock.advance(3_600_000)
    expect(new Set(burst())).toEqual(new Set([undefined]))
    expect(traffic.enter('a')).toBeInstanceOf(Promise)
  })

  it('hold before a password is looked at, and for those who log in as well', async () => {
    const { url } = await startWithUsers({ limits: { requestsPerSecond: 1 }, clock: makeClock() })
    const abort = new AbortController()
    const ask = () =>
      fetchRaw(`${url}/v2/`, { headers: basic('ann'), signal: abort.signal }).then(({ status }) => status)
    for (let i = 0; i < 10; i++) expect(await ask()).toBe(200)
    // Of these so many are held back as can be served within what clients wait.
    const more = Array.from({ length: 40 }, () => ask().catch(() => 0))
    expect(await Promise.race(more)).toBe(429)
    const refused = await fetchRaw(`${url}/token`, { headers: basic('ann', 'wrong') })
    expectError(refused, 'TOOMANYREQUESTS')
    expect(refused.headers['retry-after']).toBe('1')
    abort.abort()
    await Promise.all(more)
  })

  it('are those of a /64 of IPv6, and a clock that is set back keeps nobody out', () => {
    let now = 1_000_000
    const traffic = new Traffic({ requestsAtOnce: 100, requestsPerSecond: 1 }, () => now, 0)
    for (let i = 0; i < 10; i++) expect(traffic.enter(`2001:db8:1:2::${i}`)).toBeUndefined()
    expect(traffic.enter('2001:db8:1:2:ffff::1')).toMatchObject({ why: 'per second', wait: 1_000 })
    expect(traffic.enter('2001:db8:1:3::1')).toBeUndefined()
    now -= 500_000
    expect(traffic.enter('2001:db8:1:2::1')).toBeUndefined()
  })
})

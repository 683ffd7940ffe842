import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Traffic } from '../../src/access/access.ts'
import { expectError } from '../helpers/api-table.ts'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { basic, startWithUsers } from '../helpers/login.ts'
import { eventually } from '../helpers/open-files.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const layer = { size: 4 * 1024 * 1024, seed: 1 }
const image = { blobs: { layer }, manifests: { m: { config: 'layer', layers: ['layer'] } }, tags: { 1: 'm' } }

async function start(limits: object, settings: BerthOptions = {}) {
  const upstream = await startUpstream({ content: { 'org/app': image } })
  const clock = makeClock()
  const upstreams = [{ name: 'docker.io', url: upstream.url }]
  const berth = await startBerth({ clock, limits, upstreams, ...settings })
  const blob = `${berth.url}/v2/org/app/blobs/${upstream.content.digest('org/app', 'layer')}`
  const from = (localAddress: string, path = '/v2/') =>
    fetchRaw(berth.url + path, { agent: new Agent({ localAddress }) }).then(({ status }) => status)
  return { upstream, clock, berth, blob, from }
}

describe('requests of one client at once', () => {
  it('are no more than limits.requestsAtOnce: one more is told to come again, others are served', async () => {
    const { upstream, berth, blob, from } = await start({ requestsAtOnce: 2 })
    const release = upstream.hold(/blobs/, 1024 * 1024)
    const running = [await openRaw(blob), await openRaw(blob)]
    const refused = await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)
    expectError(refused, 'TOOMANYREQUESTS')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(await from('127.0.0.2')).toBe(200)
    // Who watches over the process must not take it for dead.
    expect((await fetchRaw(`${berth.url}/healthz`)).status).toBe(200)
    expect(
      (await fetchRaw(`${berth.url}/metrics`, { agent: new Agent({ localAddress: '127.0.0.2' }) })).text(),
    ).toContain('berth_requests_turned_away_total{why="at once"} 1')
    release()
    for (const answer of running) expect((await answer.rest()).length).toBe(layer.size)
    let status = 429
    const looking = setInterval(() => void from('127.0.0.1').then((seen) => (status = seen)), 20)
    await eventually(
      () => status === 200,
      () => `still ${status}`,
    ).finally(() => clearInterval(looking))
  })

  it('end with their connections, however these end', async () => {
    const { upstream, blob, from } = await start({ requestsAtOnce: 2 })
    upstream.hold(/blobs/, 1024 * 1024)
    for (let round = 0; round < 3; round++) {
      const running = [await openRaw(blob), await openRaw(blob)]
      expect(await from('127.0.0.1')).toBe(429)
      for (const answer of running) answer.destroy()
      let status = 429
      const looking = setInterval(() => void from('127.0.0.1').then((seen) => (status = seen)), 20)
      await eventually(
        () => status === 200,
        () => `still ${status}`,
      ).finally(() => clearInterval(looking))
    }
  })

  it('are counted by the address that a trusted proxy tells', async () => {
    const { upstream, berth, blob } = await start({ requestsAtOnce: 1 }, { trustedProxies: ['127.0.0.1'] })
    upstream.hold(/blobs/, 1024 * 1024)
    const headers = (client: string) => ({ headers: { 'x-forwarded-for': client } })
    const running = await openRaw(blob, headers('203.0.113.1'))
    expect((await fetchRaw(`${berth.url}/v2/`, headers('203.0.113.1'))).status).toBe(429)
    expect((await fetchRaw(`${berth.url}/v2/`, headers('203.0.113.2'))).status).toBe(200)
    running.destroy()
  })
})

describe('requests of one client each second', () => {
  it('are as many as one likes without the limit', async () => {
    const { from } = await start({})
    const statuses = await Promise.all(Array.from({ length: 300 }, () => from('127.0.0.1')))
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  it('may be ten times as many at once after a pause, and then come at the rate', async () => {
    const { clock, berth, from } = await start({ requestsPerSecond: 2 })
    for (let i = 0; i < 20; i++) expect(await from('127.0.0.1')).toBe(200)
    const refused = await fetchRaw(`${berth.url}/v2/`)
    expectError(refused, 'TOOMANYREQUESTS')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(await from('127.0.0.2')).toBe(200)
    clock.advance(1_000)
    expect([await from('127.0.0.1'), await from('127.0.0.1'), await from('127.0.0.1')]).toEqual([200, 200, 429])
    clock.advance(3_600_000)
    for (let i = 0; i < 20; i++) expect(await from('127.0.0.1')).toBe(200)
    expect(await from('127.0.0.1')).toBe(429)
  })

  it('hold before a password is looked at, and for those who log in as well', async () => {
    const clock = makeClock()
    const { url } = await startWithUsers({ clock, limits: { requestsPerSecond: 1 } })
    const statuses: number[] = []
    for (let i = 0; i < 11; i++) statuses.push((await fetchRaw(`${url}/v2/`, { headers: basic('ann') })).status)
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429])
    expect((await fetchRaw(`${url}/token`, { headers: basic('ann', 'wrong') })).status).toBe(429)
  })

  it('are those of a /64 of IPv6, and a clock that is set back keeps nobody out', () => {
    let now = 1_000_000
    const traffic = new Traffic({ requestsAtOnce: 100, requestsPerSecond: 1 }, () => now)
    for (let i = 0; i < 10; i++) expect(traffic.enter(`2001:db8:1:2::${i}`)).toBeUndefined()
    expect(traffic.enter('2001:db8:1:2:ffff::1')).toMatchObject({ why: 'per second', wait: 1_000 })
    expect(traffic.enter('2001:db8:1:3::1')).toBeUndefined()
    now -= 500_000
    expect(traffic.enter('2001:db8:1:2::1')).toBeUndefined()
  })
})

import { describe, expect, it, vi } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }

async function start(options: Partial<UpstreamOptions> = {}) {
  const clock = makeClock()
  const rate = { limit: 100, remaining: 50 }
  const upstream = await startUpstream({ content: { 'org/app': image }, rate, clock, ...options })
  const berth = await startBerth({ clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  const ask = (path: string, method = 'GET') => fetchRaw(berth.url + path, { method })
  const scrape = async () => parse((await ask('/metrics')).text())
  const blob = `/v2/org/app/blobs/${upstream.content.digest('org/app', 'a')}`
  return { clock, upstream, ask, scrape, blob }
}

/** Every sample by its name and labels: `berth_x_total{a="b"}` -> its value. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

const lookups = (kind: string, outcome: string) =>
  `berth_cache_lookups_total{upstream="docker.io",kind="${kind}",outcome="${outcome}"}`

describe('/metrics', () => {
  it('has these names (golden)', async () => {
    const { ask } = await start()
    const answer = await ask('/metrics')
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    const own = answer.text().match(/^# TYPE berth_(?!nodejs_|process_).*$/gm) ?? []
    await expect(`${own.sort().join('\n')}\n`).toMatchFileSnapshot('../golden/metrics.txt')
  })

  it('counts requests by method, endpoint and status, and bytes to clients', async () => {
    const { ask, scrape, blob } = await start()
    await ask('/v2/')
    for (let i = 0; i < 3; i++) await ask(blob)
    await ask(blob, 'HEAD')
    await ask('/v2/org/app/manifests/none')
    const samples = await scrape()
    expect(samples.get('berth_requests_total{method="GET",route="base",status="200"}')).toBe(1)
    expect(samples.get('berth_requests_total{method="GET",route="blob",status="200"}')).toBe(3)
    expect(samples.get('berth_requests_total{method="HEAD",route="blob",status="200"}')).toBe(1)
    expect(samples.get('berth_requests_total{method="GET",route="manifest",status="404"}')).toBe(1)
    expect(samples.get('berth_sent_bytes_total')).toBeGreaterThanOrEqual(30)
  })

  it('counts lookups as miss, hit, revalidated and stale', async () => {
    const { clock, upstream, ask, scrape } = await start()
    const pull = () => ask('/v2/org/app/manifests/20')
    for (const _ of ['miss', 'hit']) await pull()
    clock.advance(120_000)
    await pull()
    clock.advance(120_000)
    await upstream.stop()
    await pull()
    const samples = await scrape()
    for (const outcome of ['miss', 'hit', 'revalidated', 'stale']) {
      expect([outcome, samples.get(lookups('manifest', outcome))]).toEqual([outcome, 1])
    }
  })

  it('counts what upstreams send, refuse and have left', async () => {
    const { upstream, ask, scrape, blob } = await start()
    await ask('/v2/org/app/manifests/20')
    await ask(blob)
    // The last bytes go out before the file is in its place.
    await vi.waitFor(async () => expect((await scrape()).get('berth_fills_in_flight')).toBe(0), 5000)
    await upstream.stop()
    await ask('/v2/org/app/manifests/other')
    const samples = await scrape()
    expect(samples.get('berth_upstream_received_bytes_total{upstream="docker.io"}')).toBe(10)
    expect(samples.get('berth_upstream_failures_total{upstream="docker.io",kind="unreachable"}')).toBeGreaterThan(0)
    expect(samples.get('berth_upstream_ratelimit_remaining{upstream="docker.io",account="anonymous"}')).toBe(49)
    expect(samples.get('berth_fills_total{upstream="docker.io",result="stored"}')).toBe(1)
    expect(samples.get('berth_cache_bytes')).toBe(10)
  })

  it('has pulls served against pulls spent, in one figure each', async () => {
    const { ask, scrape } = await start()
    for (let i = 0; i < 10; i++) await ask('/v2/org/app/manifests/20')
    const samples = await scrape()
    expect(samples.get('berth_pulls_served_total')).toBe(10)
    expect(samples.get('berth_upstream_pulls_spent_total{upstream="docker.io",account="anonymous"}')).toBe(1)
  })

  it('tells an upstream that is given up until the last of its hosts is back', async () => {
    const { clock, upstream, ask, scrape, blob } = await start({ cdn: {} })
    const given = async () => (await scrape()).get('berth_upstream_breaker_open{upstream="docker.io"}')
    upstream.set({ faults: [{ on: /^cdn/, reset: true }] })
    await ask(blob)
    expect(await given()).toBe(1)
    upstream.set({
      faults: [
        { on: /^cdn/, reset: true },
        { on: /manifests/, reset: true, times: 2 },
      ],
    })
    await ask('/v2/org/app/manifests/20')
    clock.advance(60_000)
    expect((await ask('/v2/org/app/manifests/20')).status).toBe(200)
    expect(await given()).toBe(1)
    upstream.set({ faults: [] })
    await ask(blob)
    expect(await given()).toBe(0)
  })

  it('has closed sets of labels: no client can make new ones', async () => {
    const { ask, scrape } = await start()
    await ask('/v2/')
    const before = new Set([...(await scrape()).keys()].map((key) => key.replace(/status="\d+"|method="\w+"/g, '')))
    for (let i = 0; i < 30; i++) {
      await ask(`/v2/random-${i}/app/manifests/tag-${i}?ns=host-${i}.test`)
      await ask(`/random-${i}`)
      await ask(`/v2/host-${i}.test/app/tags/list`, 'PROPFIND')
    }
    const made = [...(await scrape()).keys()].filter((key) => /random|host-|tag-|PROPFIND/.test(key))
    expect([made, before.size > 0]).toEqual([[], true])
  })
})

describe('/healthz and /readyz', () => {
  it.each(['/healthz', '/readyz'])(
    '%s is 200 without an upstream that could be reached, for HEAD too',
    async (path) => {
      const { upstream, ask } = await start()
      await upstream.stop()
      for (const method of ['GET', 'HEAD']) expect((await ask(path, method)).status).toBe(200)
    },
  )
})

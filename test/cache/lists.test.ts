import { expect, describe, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Tags and referrers of proxied repositories (cases 47 and 48): the upstream's, whole, kept for when it is down.

const signature = 'application/vnd.dev.cosign.artifact.sig.v1+json'
const sbom = 'application/spdx+json'
const content = {
  'org/app': {
    blobs: { a: 'layer', s: 'signature', b: 'bill' },
    manifests: {
      m: { config: 'a', layers: ['a'] },
      sig: { artifactType: signature, config: 's', layers: ['s'], subject: 'm' },
      bill: { artifactType: sbom, config: 'b', layers: ['b'], subject: 'm' },
    },
    tags: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`v${String(i).padStart(2, '0')}`, 'm'])),
  },
}

async function start(options: Partial<UpstreamOptions> = {}) {
  const upstream = await startUpstream({ content, ...options })
  const clock = makeClock()
  const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: '1m' }]
  const berth = await startBerth({ clock, upstreams })
  const restart = async () => {
    await berth.stop()
    return startBerth({ clock, upstreams, data: berth.data })
  }
  const get = (path: string, at = berth.url) => fetchRaw(`${at}/v2/org/app/${path}`)
  return { upstream, clock, berth, restart, get, m: upstream.content.digest('org/app', 'm') }
}

const tagsIn = (answer: { json(): unknown }) => (answer.json() as { tags: string[] }).tags
const typesIn = (answer: { json(): unknown }) =>
  (answer.json() as { manifests: { artifactType: string }[] }).manifests.map(({ artifactType }) => artifactType).sort()

describe('tags/list of a proxied repository', () => {
  it.each([
    ['by last', {}],
    ['by an opaque cursor (quay.io)', { paging: 'opaque', pageSize: 30 }],
    ['with absolute links', { absoluteLink: true, pageSize: 7 }],
  ] as const)(
    'has all tags of an upstream that pages %s, though three are cached (harbor #15513)',
    async (_, quirks) => {
      const { get } = await start({ quirks })
      for (const tag of ['v01', 'v02', 'v03']) await get(`manifests/${tag}`)
      expect(tagsIn(await get('tags/list'))).toHaveLength(100)
    },
  )

  it('is paged here, by links to ourselves, from one list of the upstream', async () => {
    const { upstream, get } = await start()
    const seen: string[] = []
    let path: string | undefined = 'tags/list?n=30'
    while (path !== undefined) {
      const page: Awaited<ReturnType<typeof get>> = await get(path)
      seen.push(...tagsIn(page))
      path = /^<\/v2\/org\/app\/([^>]+)>; rel="next"$/.exec(String(page.headers.link ?? ''))?.[1]
    }
    expect([seen.length, seen]).toEqual([100, [...seen].sort()])
    expect(upstream.count('tags/list')).toBe(1)
  })

  it('is asked for again when its freshness is over', async () => {
    const { upstream, clock, get } = await start()
    await get('tags/list')
    upstream.retag('org/app', 'w', 'm')
    clock.advance(59_000)
    expect(tagsIn(await get('tags/list'))).not.toContain('w')
    clock.advance(2_000)
    expect(tagsIn(await get('tags/list'))).toContain('w')
    expect(upstream.count('tags/list')).toBe(2)
  })

  it('is the last list known while the upstream is down, also after a restart', async () => {
    const { upstream, clock, restart, get } = await start()
    await get('tags/list')
    await upstream.stop()
    clock.advance(3_600_000)
    expect(tagsIn(await get('tags/list'))).toHaveLength(100)
    const again = await restart()
    expect(tagsIn(await get('tags/list', again.url))).toHaveLength(100)
  })

  it('is what was pulled, where no list was ever asked for and the upstream is down', async () => {
    const { upstream, get } = await start()
    for (const tag of ['v02', 'v01']) await get(`manifests/${tag}`)
    await upstream.stop()
    expect(tagsIn(await get('tags/list'))).toEqual(['v01', 'v02'])
  })
})

describe('referrers through the cache', () => {
  it.each([
    ['by the API', {}],
    ['by the fallback tag', { noReferrers: true }],
  ])('are listed %s, filtered here', async (_, quirks) => {
    const { get, m } = await start({ quirks })
    expect(typesIn(await get(`referrers/${m}`))).toEqual([sbom, signature].sort())
    const filtered = await get(`referrers/${m}?artifactType=${encodeURIComponent(sbom)}`)
    expect([typesIn(filtered), filtered.headers['oci-filters-applied']]).toEqual([[sbom], 'artifactType'])
    const unfiltered = await get(`referrers/${m}?artifactType=`)
    expect([typesIn(unfiltered).length, unfiltered.headers['oci-filters-applied']]).toEqual([2, undefined])
  })

  it('are none of an unknown digest: 200 and an empty index', async () => {
    const { get } = await start({ quirks: { noReferrers: true } })
    const answer = await get(`referrers/sha256:${'0'.repeat(64)}`)
    expect([answer.status, typesIn(answer)]).toEqual([200, []])
  })

  it('can be walked as cosign verify does, warm with the upstream down, and after a restart', async () => {
    const { upstream, clock, berth, restart, get, m } = await start()
    const attached = { sig: 'sig', att: 'sig', sbom: 'bill' }
    for (const [suffix, what] of Object.entries(attached)) {
      upstream.retag('org/app', `${m.replace(':', '-')}.${suffix}`, what)
    }
    const walk = async (at: string) => {
      const image = await get('manifests/v01', at)
      const digest = String(image.headers['docker-content-digest'])
      const listed = (await get(`referrers/${digest}`, at)).json() as { manifests: { digest: string }[] }
      const statuses = [image.status]
      for (const { digest } of listed.manifests) statuses.push((await get(`manifests/${digest}`, at)).status)
      for (const suffix of Object.keys(attached)) {
        const tagged = await get(`manifests/${digest.replace(':', '-')}.${suffix}`, at)
        const layers = (tagged.json() as { layers?: { digest: string }[] }).layers ?? []
        for (const layer of layers) statuses.push((await get(`blobs/${layer.digest}`, at)).status)
        statuses.push(tagged.status)
      }
      return statuses
    }
    const cold = await walk(berth.url)
    expect(cold).toEqual(Array(9).fill(200))
    await upstream.stop()
    clock.advance(24 * 3_600_000)
    expect(await walk(berth.url)).toEqual(cold)
    expect(await walk((await restart()).url)).toEqual(cold)
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import type { RepositorySpec } from '../helpers/content.ts'
import { fetchRaw, type Sent } from '../helpers/http.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Tags that rules allow and deny, and every way around: what a digest is served for is told by the tags that lead to it.

const image = (name: string): RepositorySpec => ({
  blobs: { [`${name} config`]: `{"of":"${name}"}`, [`${name} layer`]: name },
  manifests: {
    [name]: { config: `${name} config`, layers: [`${name} layer`] },
    [`${name} index`]: { manifests: [name] },
    [`${name} note`]: { config: `${name} config`, layers: [`${name} config`], subject: name, artifactType: 'a/b' },
  },
})

type Started = Awaited<ReturnType<typeof start>>

/** `1` and `nightly` are indexes of one image each; nothing leads to the image `pinned`. */
async function start(rules: object, data?: string) {
  const upstream = await startUpstream({ content: { 'org/app': image('one') } })
  upstream.push('org/app', { ...image('night'), tags: { nightly: 'night index' } })
  upstream.push('org/app', { ...image('pinned'), tags: { 1: 'one index' } })
  const clock = makeClock()
  const settings = (more: object) => ({
    clock,
    upstreams: [{ name: 'docker.io', url: upstream.url, virtualHosts: ['hub.test'], ...more }],
  })
  const berth = await startBerth({ ...settings(rules), ...(data && { data }) })
  const restart = async (more: object) => {
    await berth.stop()
    return startBerth({ data: berth.data, ...settings(more) })
  }
  const digest = (name: string) => upstream.content.digest('org/app', name)
  return { upstream, clock, berth, restart, digest }
}

function waysByDigest({ digest }: Started, name: string): [string, Sent][] {
  const [index, child] = [`manifests/${digest(`${name} index`)}`, `manifests/${digest(name)}`]
  const layer = `blobs/${digest(`${name} layer`)}`
  const here = '/v2/org/app'
  return [
    [`${here}/${index}`, {}],
    [`${here}/${index}`, { method: 'HEAD' }],
    [`${here}/${index}?ns=docker.io`, {}],
    [`/v2/docker.io/org/app/${index}`, {}],
    [`/docker.io/v2/org/app/${index}`, {}],
    [`${here}/${index}`, { headers: { host: 'hub.test' } }],
    [`${here}/${child}`, {}],
    [`${here}/${child}`, { method: 'HEAD' }],
    [`${here}/referrers/${digest(name)}`, {}],
    [`${here}/${layer}`, {}],
    [`${here}/${layer}`, { method: 'HEAD' }],
    [`${here}/${layer}`, { headers: { range: 'bytes=0-0' } }],
    [`${here}/blobs/${digest(`${name} config`)}?ns=docker.io`, {}],
  ]
}

function waysByTag(tag: string): [string, Sent][] {
  const path = `/v2/org/app/manifests/${tag}`
  return [
    [path, {}],
    [path, { method: 'HEAD' }],
    [`${path}?ns=docker.io`, {}],
    [path, { headers: { host: 'hub.test' } }],
    [path, { headers: { 'cache-control': 'no-cache' } }],
    [`${path}@2030-01-01`, {}],
  ]
}

async function statuses({ url }: RunningBerth, ways: [string, Sent][]): Promise<number[]> {
  const seen = new Set<number>()
  for (const [path, sent] of ways) seen.add((await fetchRaw(url + path, sent)).status)
  return [...seen].sort()
}

describe.each([
  ['a tag', 'org/*:nightly'],
  ['a pattern of tags', '**:n*'],
])('%s that is denied', (_what, deny) => {
  it('is DENIED in every way, cold, by digest first, with all that it alone leads to', async () => {
    const started = await start({ deny: [deny] })
    expect(await statuses(started.berth, waysByDigest(started, 'night'))).toEqual([403])
    expect(await statuses(started.berth, waysByTag('nightly'))).toEqual([403])
  })

  it('is DENIED in every way, warm, and while the upstream is down', async () => {
    const started = await start({})
    const ways = [...waysByTag('nightly'), ...waysByDigest(started, 'night')]
    expect(await statuses(started.berth, ways)).toEqual([200, 206])
    await started.upstream.stop()
    const denying = await started.restart({ deny: [deny] })
    expect(await statuses(denying, ways)).toEqual([403])
  })

  it('takes nothing from other tags, nor from digests that no tag leads to', async () => {
    const started = await start({ deny: [deny] })
    expect(await statuses(started.berth, [...waysByTag('1'), ...waysByDigest(started, 'one')])).toEqual([200, 206])
    expect(await statuses(started.berth, waysByDigest(started, 'pinned'))).toEqual([200, 206])
    await started.upstream.stop()
    started.clock.advance(7 * 24 * 3_600_000)
    const again = await started.restart({ deny: [deny] })
    expect(await statuses(again, waysByDigest(started, 'one').toReversed())).toEqual([200, 206])
    expect(await statuses(again, waysByDigest(started, 'pinned').toReversed())).toEqual([200, 206])
  })

  it('is looked up once in its freshness, for digests that no tag leads to', async () => {
    const started = await start({ deny: [deny] })
    for (let i = 0; i < 2; i++) await statuses(started.berth, waysByDigest(started, 'pinned'))
    expect(started.upstream.count('/manifests/nightly')).toBe(1)
  })
})

it('more denied tags than can be looked up: a digest is refused until a tag leads to it', async () => {
  const started = await start({ deny: ['**:n*'] })
  const tags = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`n${i}`, 'night index']))
  started.upstream.push('org/app', { tags })
  expect(await statuses(started.berth, waysByDigest(started, 'one'))).toEqual([403])
  await statuses(started.berth, waysByTag('1'))
  expect(await statuses(started.berth, waysByDigest(started, 'one'))).toEqual([200, 206])
})

describe('a tag that alone is allowed', () => {
  it('has to be asked for first: until then its content is DENIED by digest, as all other content is', async () => {
    const started = await start({ allow: ['org/*:1'] })
    expect(await statuses(started.berth, waysByDigest(started, 'one'))).toEqual([403])
    expect(await statuses(started.berth, waysByTag('1'))).toEqual([200])
    expect(await statuses(started.berth, waysByDigest(started, 'one'))).toEqual([200, 206])
    for (const other of ['night', 'pinned']) {
      expect(await statuses(started.berth, waysByDigest(started, other))).toEqual([403])
    }
  })

  it('leads to the same after a restart while the upstream is down', async () => {
    const started = await start({ allow: ['org/*:1'] })
    const ways = [...waysByTag('1'), ...waysByDigest(started, 'one')]
    await statuses(started.berth, ways)
    await started.upstream.stop()
    started.clock.advance(7 * 24 * 3_600_000)
    expect(await statuses(await started.restart({ allow: ['org/*:1'] }), ways.toReversed())).toEqual([200, 206])
  })

  it('leads to what is attached to its image, and not to what is attached to another', async () => {
    const started = await start({ allow: ['org/*:1'] })
    await statuses(started.berth, [...waysByTag('1'), ...waysByDigest(started, 'one')])
    const attached = (name: string): [string, Sent][] => [
      [`/v2/org/app/manifests/${started.digest(`${name} note`)}`, {}],
      [`/v2/org/app/blobs/${started.digest(`${name} config`)}`, {}],
    ]
    expect(await statuses(started.berth, attached('one'))).toEqual([200])
    expect(await statuses(started.berth, attached('night'))).toEqual([403])
  })
})

import { describe, expect, it } from 'vitest'
import { fetchRaw, type Sent } from '../helpers/http.ts'
import { startCached } from '../helpers/cached.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

const platforms = {
  linux: { os: 'linux', architecture: 'amd64' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
  windows: { os: 'windows', architecture: 'amd64' },
  // As BuildKit attaches them to images, in their index.
  attestation: { os: 'unknown', architecture: 'unknown' },
}
const names = Object.keys(platforms) as (keyof typeof platforms)[]

/** An index `1` of an image for each platform, and a tag for each of these by itself. */
const content = {
  'org/app': {
    blobs: Object.fromEntries(
      names.flatMap((name) => [
        [`${name} config`, JSON.stringify(platforms[name])],
        [`${name} layer`, `what ${name} runs`],
        [`${name} more`, `and more of ${name}`],
      ]),
    ),
    manifests: {
      ...Object.fromEntries(
        names.map((name) => [name, { config: `${name} config`, layers: [`${name} layer`, `${name} more`] }]),
      ),
      index: { manifests: names.map((of) => ({ of, platform: platforms[of] })) },
    },
    tags: { 1: 'index', ...Object.fromEntries(names.map((name) => [name, name])) },
  },
}

async function start(rules: object, data?: string): Promise<{ upstream: Upstream; berth: RunningBerth }> {
  const upstream = await startUpstream({ content })
  const upstreams = [{ name: 'docker.io', url: upstream.url, virtualHosts: ['hub.test'], ...rules }]
  const berth = await startBerth({ upstreams, ...(data !== undefined && { data }) })
  return { upstream, berth }
}

/** Every way to content of one platform. */
function waysTo(upstream: Upstream, name: string): [string, Sent][] {
  const digest = (of: string) => upstream.content.digest('org/app', of)
  const here = '/v2/org/app'
  const layer = `${here}/blobs/${digest(`${name} layer`)}`
  return [
    [`${here}/manifests/${name}`, {}],
    [`${here}/manifests/${name}`, { method: 'HEAD' }],
    [`${here}/manifests/${name}`, { headers: { 'cache-control': 'no-cache' } }],
    [`${here}/manifests/${digest(name)}`, {}],
    [`${here}/manifests/${digest(name)}`, { method: 'HEAD' }],
    [`${here}/manifests/${digest(name)}?ns=docker.io`, {}],
    [`/v2/docker.io/org/app/manifests/${name}`, {}],
    [`/docker.io/v2/org/app/manifests/${name}`, {}],
    [`${here}/manifests/${name}`, { headers: { host: 'hub.test' } }],
    [layer, {}],
    [layer, { method: 'HEAD' }],
    [layer, { headers: { range: 'bytes=0-3' } }],
    [`${here}/blobs/${digest(`${name} config`)}`, {}],
  ]
}

async function statuses({ url }: RunningBerth, ways: [string, Sent][]): Promise<number[]> {
  const seen = new Set<number>()
  for (const [path, sent] of ways) seen.add((await fetchRaw(url + path, sent)).status)
  return [...seen].sort()
}

const rules = {
  'denyPlatforms: [windows/*]': { denyPlatforms: ['windows/*'] },
  'allowPlatforms: [linux/*]': { allowPlatforms: ['linux/*'] },
}

describe.each(Object.entries(rules))('%s', (_, rule) => {
  it('refuses the images it is against in every way, cold and warm', async () => {
    const { upstream, berth } = await start(rule)
    expect(await statuses(berth, waysTo(upstream, 'windows'))).toEqual([403])
    expect((await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)).status).toBe(200)
    expect(await statuses(berth, waysTo(upstream, 'windows'))).toEqual([403])
  })

  it('refuses them when they were cached before it was made, also while the upstream is down', async () => {
    const { upstream, berth } = await start({})
    expect(await statuses(berth, waysTo(upstream, 'windows'))).toEqual([200, 206])
    await berth.stop()
    const again = await start(rule, berth.data)
    await again.upstream.stop()
    expect(await statuses(again.berth, waysTo(upstream, 'windows').slice(1))).toEqual([403])
  })

  it('serves all others and attestations, by manifest first, and indexes whole', async () => {
    const { upstream, berth } = await start(rule)
    for (const name of ['linux', 'arm', 'attestation']) {
      expect(await statuses(berth, waysTo(upstream, name)), name).toEqual([200, 206])
    }
    const index = await fetchRaw(`${berth.url}/v2/org/app/manifests/1`)
    expect(index.raw.equals(upstream.content.in('org/app').bytes('index'))).toBe(true)
  })

  it('says in its refusal what was seen and which setting is against it', async () => {
    const { berth } = await start(rule)
    const { errors } = (await fetchRaw(`${berth.url}/v2/org/app/manifests/windows`)).json() as {
      errors: { code: string; message: string }[]
    }
    expect(errors[0]?.code).toBe('DENIED')
    expect(errors[0]?.message).toMatch(/org\/app for windows\/amd64 .*(?:denyPlatforms|allowPlatforms)/)
  })
})

it('a pattern without a variant fits every variant', async () => {
  const { upstream, berth } = await start({ denyPlatforms: ['linux/arm'] })
  expect(await statuses(berth, waysTo(upstream, 'arm'))).toEqual([403])
  expect(await statuses(berth, waysTo(upstream, 'linux'))).toEqual([200, 206])
})

it('looking at an image does not read its layers ahead, for its config is read for the rule alone', async () => {
  const { upstream, berth } = await start({ denyPlatforms: ['windows/*'] })
  await fetchRaw(`${berth.url}/v2/org/app/manifests/linux`)
  await berth.stop()
  expect(upstream.count(upstream.content.digest('org/app', 'linux layer'))).toBe(0)
})

it('platforms: restricts what is read ahead of the children of an index, never what is asked for', async () => {
  const upstream = await startUpstream({ content })
  const cached = await startCached(upstream, { readAhead: true, platforms: ['linux/amd64'] })
  const digest = (of: string) => upstream.content.digest('org/app', of)
  await cached.manifest('org/app', '1')
  for (const name of ['linux', 'windows']) {
    await cached.manifest('org/app', digest(name))
    expect((await cached.read('org/app', digest(`${name} layer`))).toString()).toBe(`what ${name} runs`)
  }
  await cached.settled()
  expect(await cached.stored(digest('linux more'))).toBeDefined()
  expect(await cached.stored(digest('windows more'))).toBeUndefined()
})

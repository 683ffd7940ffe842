import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { kinds, type Kind } from '../helpers/registries/kinds.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// What pulls cost at each kind of registry that users have, in its own dialect, logins and redirects included.

const name = 'org/app'
const content = {
  [name]: {
    blobs: { config: '{}', layer: { size: 300_000, seed: 7 }, newLayer: { size: 1000, seed: 8 } },
    manifests: {
      m: { config: 'config', layers: ['layer'] },
      n: { config: 'config', layers: ['newLayer'] },
      sig: { artifactType: 'application/vnd.test.signature', config: 'config', layers: ['config'], subject: 'm' },
    },
    tags: { 1: 'm', 2: 'm' },
  },
}

/** What opens the registry at the first request, and what a blob costs. The rest is the same everywhere unless said. */
interface Costs {
  login: string[]
  blob: (what: string) => string[]
  /** Before a tag is looked at again, a minute later. */
  again?: string[]
  /** HEAD tells no digest: a look at a tag then costs a GET too, whether it has moved or not. */
  blindHead?: number
}

const here = (what: string) => [`GET blobs/${what} 200`]
const onCdn = (status: number, role: string) => (what: string) => [
  `GET blobs/${what} ${status}`,
  `${role}GET blobs/${what} 200`,
]
const basic = ['GET manifests/1 401']
const byToken = [...basic, 'GET /token 200']
const byOtherToken = [...basic, 'token GET /token 200']

const table: Record<keyof typeof kinds, Costs> = {
  plain: { login: [], blob: here },
  'Docker Hub, anonymous': { login: byOtherToken, blob: onCdn(307, 'cdn ') },
  'Docker Hub, as a user': { login: byOtherToken, blob: onCdn(307, 'cdn ') },
  'ghcr.io': { login: byToken, blob: onCdn(307, 'cdn ') },
  'quay.io, as a robot': { login: byToken, blob: onCdn(302, 'cdn ') },
  'Google Artifact Registry': { login: byToken, blob: onCdn(302, '') },
  'mcr.microsoft.com': { login: [], blob: onCdn(307, 'cdn ') },
  'Amazon ECR Public': { login: byToken, blob: onCdn(307, 'cdn ') },
  'Amazon ECR': { login: basic, blob: onCdn(307, 'cdn '), blindHead: 200 },
  'Azure ACR': {
    login: [...basic, 'POST /token 200'],
    blob: onCdn(307, 'cdn '),
    again: ['POST /token 200'],
  },
  'GitLab, by a deploy token': { login: byOtherToken, blob: onCdn(307, 'cdn '), again: ['token GET /token 200'] },
  'Harbor, as a robot': { login: byToken, blob: here },
  'Harbor of old, with Basic': { login: basic, blob: here, blindHead: 200 },
  'Docker Trusted Registry / MSR': { login: byToken, blob: here },
  'Artifactory and Nexus, below a path': { login: basic, blob: here },
  'nvcr.io': { login: byOtherToken, blob: here },
  'Red Hat': { login: [], blob: here, blindHead: 200 },
  'GitHub Enterprise (docker.pkg)': { login: basic, blob: here, blindHead: 405 },
}

async function start({ behaves, settings }: Kind) {
  const clock = makeClock()
  const upstream = await startUpstream({ ...behaves, content, clock })
  const own = settings?.(upstream)
  const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: '1m', readAhead: false, ...own }]
  const berth = await startBerth({ clock, upstreams, access: { private: 'open' } })
  const get = (path: string, method = 'GET', headers = {}) => fetchRaw(`${berth.url}/v2/${path}`, { method, headers })
  const digest = (what: string) => upstream.content.digest(name, what)
  const tag = (method?: string) => get(`${name}/manifests/1`, method)
  const blob = (what: string, method?: string) => get(`${name}/blobs/${digest(what)}`, method)
  const pull = async () => [await tag(), await blob('config'), await blob('layer')] as const
  /** What the upstream was asked meanwhile, by symbolic names. */
  const costOf = async (act: () => Promise<unknown>) => {
    upstream.forget()
    await act()
    return upstream.received.map(({ role, method, url, status }) => {
      const path = url.replace(/\?.*/, '').replace(/^.*\/v2\/org\/app\//, '')
      const symbolic = ['config', 'layer', 'm', 'n'].reduce((text, what) => text.replace(digest(what), what), path)
      return `${role === 'registry' ? '' : `${role} `}${method} ${symbolic} ${status}`.replace('/storage/', '')
    })
  }
  return { upstream, clock, get, digest, tag, blob, pull, costOf }
}

const four = <T>(act: () => Promise<T>) => Promise.all([act(), act(), act(), act()])

const every = Object.entries(kinds) as [keyof typeof kinds, Kind][]

describe.each(every)('%s', (kind, how) => {
  const { login, blob: blobCosts, again = [], blindHead } = table[kind]

  it('costs each thing once, nothing warm, a look a freshness, a GET when a tag moved, and nothing while it is down', async () => {
    const { upstream, clock, digest, pull, tag, blob, costOf } = await start(how)
    const cold = [...login, 'GET manifests/1 200', ...blobCosts('config'), ...blobCosts('layer')]
    expect(await costOf(() => four(pull))).toEqual(cold)
    expect(await costOf(() => four(pull))).toEqual([])
    const look = [...again, `HEAD manifests/1 ${blindHead ?? 200}`]
    clock.advance(61_000)
    expect(await costOf(() => four(tag))).toEqual(blindHead ? [...look, 'GET manifests/1 200'] : look)
    upstream.retag(name, '1', 'n')
    clock.advance(61_000)
    expect(await costOf(() => four(tag))).toEqual([...look, `GET manifests/${blindHead ? '1' : 'n'} 200`])
    await upstream.stop()
    clock.advance(61_000)
    const stale = [...(await four(tag)), await tag('HEAD')]
    expect(stale.map(({ status, headers }) => [status, headers['docker-content-digest']])).toEqual(
      Array(5).fill([200, digest('n')]),
    )
    expect(stale.filter(({ headers }) => !String(headers.warning).startsWith('110 '))).toEqual([])
    expect((await blob('layer')).raw.equals(upstream.content.bytes(name, 'layer'))).toBe(true)
  })

  it('is read in every way, and its refusals reach clients in our own words', async () => {
    const { upstream, get, digest, tag, blob } = await start(how)
    const sizes = { manifest: String(upstream.content.size(name, 'm')), layer: '300000' }
    expect((await blob('layer', 'HEAD')).headers['content-length']).toBe(sizes.layer)
    const range = await get(`${name}/blobs/${digest('layer')}`, 'GET', { range: 'bytes=1000-1999' })
    expect([range.status, range.raw.equals(upstream.content.bytes(name, 'layer').subarray(1000, 2000))]).toEqual([
      206,
      true,
    ])
    expect((await tag('HEAD')).headers).toMatchObject({
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': sizes.manifest,
      'docker-content-digest': digest('m'),
    })
    expect((await get(`${name}/manifests/${digest('n')}`)).raw.equals(upstream.content.bytes(name, 'n'))).toBe(true)
    expect((await get(`${name}/tags/list`)).json()).toEqual({ name, tags: ['1', '2'] })
    const { manifests } = (await get(`${name}/referrers/${digest('m')}`)).json() as { manifests: { digest: string }[] }
    expect(manifests.map((each) => each.digest)).toEqual([digest('sig')])
    for (const path of [`${name}/manifests/none`, 'org/none/manifests/1', 'org/none/tags/list']) {
      const answer = await get(path)
      expect([path, [403, 404].includes(answer.status), answer.headers['www-authenticate']]).toEqual([
        path,
        true,
        undefined,
      ])
      expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(/UNKNOWN|DENIED/) as string }] })
    }
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { quirksOf, startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// What registries do in their own way, each way alone: through Berth every one of them is a registry like any other.

const name = 'org/app'
const content = {
  [name]: {
    blobs: { config: '{}', layer: { size: 300_000, seed: 7 }, empty: '' },
    manifests: {
      m: { config: 'config', layers: ['layer', 'empty'] },
      n: { config: 'config', layers: ['config'] },
      index: { manifests: ['m', 'n'] },
      sig: { artifactType: 'application/vnd.test.signature', config: 'config', layers: ['config'], subject: 'index' },
    },
    tags: Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`v${String(i).padStart(3, '0')}`, 'index'])),
  },
}

async function start(behaves: Omit<UpstreamOptions, 'content'>, settings: Record<string, unknown> = {}) {
  const clock = makeClock()
  const upstream = await startUpstream({ ...behaves, content, clock })
  const upstreams = [{ name: 'docker.io', url: upstream.url, readAhead: false, ...settings }]
  const berth = await startBerth({ clock, upstreams, access: { private: 'open' } })
  const get = (path: string, method = 'GET', headers = {}) => fetchRaw(`${berth.url}/v2/${path}`, { method, headers })
  const digest = (what: string) => upstream.content.digest(name, what)
  return { upstream, clock, get, digest }
}

type World = Awaited<ReturnType<typeof start>>

/** An image by tag, HEAD and GET, one platform of it, its blobs, its tags and what refers to it. */
async function expectWhole({ upstream, get, digest }: World): Promise<void> {
  const index = { 'docker-content-digest': digest('index'), 'content-type': 'application/vnd.oci.image.index.v1+json' }
  const length = String(upstream.content.size(name, 'index'))
  for (const method of ['HEAD', 'GET']) {
    const answer = await get(`${name}/manifests/v001`, method)
    expect(answer.headers).toMatchObject({ ...index, 'content-length': length })
  }
  for (const what of ['index', 'm']) {
    const manifest = await get(`${name}/manifests/${digest(what)}`)
    expect(manifest.raw.equals(upstream.content.bytes(name, what))).toBe(true)
  }
  expect((await get(`${name}/blobs/${digest('config')}`, 'HEAD')).headers['content-length']).toBe('2')
  const part = await get(`${name}/blobs/${digest('layer')}`, 'GET', { range: 'bytes=-1000' })
  expect(part.raw.equals(upstream.content.bytes(name, 'layer').subarray(-1000))).toBe(true)
  for (const what of ['config', 'layer', 'empty']) {
    const blob = await get(`${name}/blobs/${digest(what)}`)
    expect([what, blob.status, blob.raw.equals(upstream.content.bytes(name, what))]).toEqual([what, 200, true])
  }
  expect((await get(`${name}/tags/list`)).json()).toEqual({ name, tags: Object.keys(content[name].tags) })
  const referrers = (await get(`${name}/referrers/${digest('index')}`)).json() as { manifests: { digest: string }[] }
  expect(referrers.manifests.map((each) => each.digest)).toEqual([digest('sig')])
}

const bearer = { kind: 'bearer' } as const

/** Who does it, what it is, how to switch it on; what a look at a known tag costs where that is more than a HEAD. */
const rows: [says: string, behaves: Omit<UpstreamOptions, 'content'>, look?: string[]][] = [
  ['private ECR, Red Hat: no digest header', { quirks: { noDigest: true } }, ['HEAD', 'GET']],
  ['upper-case hex in the digest header', { quirks: { upperHex: true } }],
  ['no length on HEAD, nor on GET', { quirks: { chunked: true } }, ['HEAD', 'GET']],
  ['GitHub Enterprise: HEAD of manifests is 405', { quirks: quirksOf.gheDocker }, ['HEAD', 'GET']],
  ['HEAD of manifests is 403 (containerd 6684)', { quirks: { headManifest: 403 } }, ['HEAD', 'GET']],
  ['Harbor of old: HEAD of manifests tells nothing', { quirks: quirksOf.harborOld }, ['HEAD', 'GET']],
  ['ECR Public: HEAD of blobs is 401', { quirks: quirksOf.ecrPublic }],
  ['HEAD of blobs is 405', { quirks: { headBlob: 405 } }],
  ['ECR Public: one token, of scope aws, for all repositories', { auth: { ...bearer, scope: 'aws' } }],
  [
    'Azure: the token in access_token, without expires_in',
    { auth: { ...bearer, tokenField: 'access_token', omitExpiresIn: true } },
  ],
  ['gcr.io, ACR: no scope in the challenge', { auth: { ...bearer, noScopeInChallenge: true } }],
  ['gcr.io once: no challenge but at /v2/ (containers/image 211)', { auth: { ...bearer, form: 'pingOnly' } }],
  ['nvcr.io: no service in the challenge', { auth: { ...bearer, noService: true } }],
  ['GitLab: the token server is another host', { auth: { ...bearer, realmHost: 'other' } }],
  ['several challenges in one header', { auth: { ...bearer, form: 'severalInOne' } }],
  ['several challenges in several headers', { auth: { ...bearer, form: 'severalHeaders' } }],
  ['a challenge in odd case, order and blanks', { auth: { ...bearer, form: 'oddOrder' } }],
  ['commas in a quoted scope', { auth: { ...bearer, form: 'quotedCommas' } }],
  ['a realm with a query of its own', { auth: { ...bearer, form: 'realmQuery' } }],
  ['a realm that is a path', { auth: { ...bearer, form: 'relativeRealm' } }],
  ['Docker Hub: blobs on a CDN whose URLs are signed for GET alone', { auth: bearer, cdn: { redirectHead: true } }],
  ['relative redirects', { auth: bearer, cdn: { redirect: 'relative' } }],
  ['quay.io, Google: 302', { cdn: { status: 302 } }],
  ['permanent redirects', { cdn: { status: 308 } }],
  ['application/json for every manifest', { quirks: { manifestType: 'application/json' } }],
  ['application/octet-stream for every manifest', { quirks: { manifestType: 'application/octet-stream' } }],
  ['text/plain for every manifest', { quirks: { manifestType: 'text/plain; charset=utf-8' } }],
  ['Red Hat: gzip where it is accepted', { quirks: { gzip: true } }],
  ['no Range', { quirks: { noRange: true } }],
  ['no ETag', { quirks: { noETag: true } }],
  ['an ETag that changes', { quirks: { changingETag: true } }],
  ['Google: several ranges at once are 400', { quirks: { multiRange400: true } }],
  ['one blob at a time', { quirks: { connections: 1 } }],
  ['quay.io: an opaque next_page', { quirks: { paging: 'opaque', pageSize: 50 } }],
  ['links to pages with scheme and host', { quirks: { absoluteLink: true, pageSize: 50 } }],
  ['Artifactory: links to pages at the root', { quirks: { pageSize: 50 } }],
  ['gcr.io: n is ignored, the list has keys of its own', { quirks: quirksOf.gcr }],
  ['ECR: no more than 1000 tags at a time', { quirks: { mostTags: 1000 } }],
  ['ghcr.io: no referrers API', { quirks: { noReferrers: true } }],
  ['errors in HTML', { auth: bearer, quirks: { errorBodies: 'html', noReferrers: true } }],
  ['errors without a body', { auth: bearer, quirks: { errorBodies: 'empty', noReferrers: true } }],
]

describe('a registry with the quirk', () => {
  it.each(rows)('%s: an image is read whole, and kept', async (_, behaves, look = ['HEAD']) => {
    const world = await start(behaves)
    const { upstream, clock, get } = world
    await expectWhole(world)
    upstream.forget()
    clock.advance(61_000)
    await get(`${name}/manifests/v001`)
    const asked = upstream.received.filter(({ url, status }) => url.includes('/manifests/') && status !== 401)
    expect(asked.map(({ method }) => method)).toEqual(look)
    await upstream.stop()
    clock.advance(61_000)
    await expectWhole(world)
  })
})

describe('what does not exist', () => {
  const refusals: [says: string, behaves: Omit<UpstreamOptions, 'content'>, status: number][] = [
    ['quay.io, Docker Hub: 401 for a repository', { auth: bearer, quirks: { missing401: true } }, 403],
    ['403 for a repository', { quirks: { missing403: true } }, 403],
    ['ghcr.io, GitLab: 403 of the token server', { auth: bearer, quirks: { token403: true } }, 403],
    ['ghcr.io: 401 without a body', { auth: bearer, quirks: { ...quirksOf.ghcr } }, 403],
    ['Harbor, Red Hat: 404 with the code UNKNOWN', { quirks: { errorBodies: 'unknownCode' } }, 404],
    ['404 in HTML', { quirks: { errorBodies: 'html' } }, 404],
    ['404 in plain text', { quirks: { errorBodies: 'text' } }, 404],
    ['404 without a body', { quirks: { errorBodies: 'empty' } }, 404],
  ]

  it.each(refusals)(
    '%s: an error in our words, without a challenge, after few requests',
    async (_, behaves, status) => {
      const { upstream, get } = await start(behaves)
      for (const path of ['org/none/manifests/1', 'org/none/tags/list', `org/none/blobs/sha256:${'0'.repeat(64)}`]) {
        const answer = await get(path)
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, undefined])
        expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(/DENIED|UNKNOWN/) as string }] })
      }
      expect(upstream.requests.length).toBeLessThan(16)
    },
  )
})

describe('a limit', () => {
  it.each([
    ['Docker Hub, in JSON', 'json'],
    ['the abuse limit, in plain text', 'text'],
  ] as const)('of %s is 429 TOOMANYREQUESTS with Retry-After', async (_, form) => {
    const { get } = await start({ rate: { limit: 1, remaining: 0, form } })
    const answer = await get(`${name}/manifests/v001`)
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)])
    expect(answer.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] })
  })

  const brief = 'toomanyrequests: retry-after: 880.092µs, allowed: 44000/minute'

  it('of ghcr.io, told in the body and over at once, is heeded: no client sees it (dependabot/cli 380)', async () => {
    const { upstream, get } = await start({ faults: [{ on: /manifests/, status: 429, body: brief, times: 2 }] })
    expect((await get(`${name}/manifests/v001`)).status).toBe(200)
    expect(upstream.count(/ 429$/)).toBe(2)
  })

  it('of ghcr.io that does not end is 429 here after three tries', async () => {
    const { upstream, get } = await start({ faults: [{ on: /manifests/, status: 429, body: brief }] })
    expect((await get(`${name}/manifests/v001`)).status).toBe(429)
    expect(upstream.requests).toHaveLength(3)
  })
})

describe('a registry without the referrers API that answers', () => {
  const page = { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }
  it.each([
    ['400', { status: 400 }],
    ['404', { status: 404 }],
    ['406', { status: 406 }],
    ['200 with another type', page],
  ])('%s is asked for the fallback tag, as go-containerregistry does', async (_, fault) => {
    await expectWhole(await start({ quirks: { noReferrers: true }, faults: [{ on: /referrers/, ...fault }] }))
  })
})

describe('a registry like', () => {
  it('nvcr.io, whose private repositories have another token server: a refusal there leaves the public ones', async () => {
    const auth = { ...bearer, private: ['org/secret'], privateRealm: true }
    const { upstream, get } = await start({ auth })
    upstream.push('org/secret', content[name])
    expect((await get('org/secret/manifests/v001')).status).toBe(403)
    expect((await get(`${name}/manifests/v001`)).status).toBe(200)
  })

  it('registry.k8s.io, which sends every request to another host, whose challenge is answered there', async () => {
    const behind = await startUpstream({ content: { [`images/${name}`]: content[name] }, auth: bearer, cdn: {} })
    const world = await start({ redirectTo: `${behind.url}/v2/images` })
    const manifest = await world.get(`${name}/manifests/v001`)
    expect(manifest.headers['docker-content-digest']).toBe(world.digest('index'))
    expect((await world.get(`${name}/blobs/${world.digest('layer')}`)).raw.length).toBe(300_000)
    expect(world.upstream.received.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })

  it('mcr.microsoft.com, which ends large blobs early for slow readers: each is resumed', async () => {
    const { upstream, get, digest } = await start({ cdn: {} })
    await get(`${name}/manifests/${digest('m')}`)
    upstream.set({ faults: [{ on: /cdn GET/, cutAfter: 100_000, times: 2 }] })
    const blob = await get(`${name}/blobs/${digest('layer')}`)
    expect(blob.raw.equals(upstream.content.bytes(name, 'layer'))).toBe(true)
  })

  it('one of schema 1 is told of in words that help', async () => {
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
    const { get } = await start({ quirks: { manifestType: type } })
    const answer = await get(`${name}/manifests/v001`)
    expect([answer.status, answer.text()]).toEqual([502, expect.stringContaining('schema 1')])
  })

  it('ghcr.io with a login that ran out leaves public images within reach', async () => {
    const credentials = { username: 'me', password: 'old' }
    const world = await start({ auth: { ...bearer, users: { me: 'new' } }, quirks: quirksOf.ghcr }, { credentials })
    await expectWhole(world)
  })
})

import { describe, expect, it } from 'vitest'
import { hasOpenssl, makeCertificate } from '../helpers/certificates.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw, type Received } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../helpers/upstream.ts'

// The promises of design section 1, as a table: what clients do, what that costs at the upstream, what they see.

const name = 'library/app'
const content = {
  [name]: {
    blobs: { config: '{}', layer: { size: 300_000, seed: 7 }, newLayer: { size: 1000, seed: 8 } },
    manifests: { m: { config: 'config', layers: ['layer'] }, n: { config: 'config', layers: ['newLayer'] } },
    tags: { 1: 'm' },
  },
}
const minute = 60_000

/** Berth in front of a test upstream that is Docker Hub to it, on a clock the test moves. */
async function startWorld(options: Omit<UpstreamOptions, 'content'> = {}, data = makeFolder()) {
  const clock = makeClock()
  const upstream = await startUpstream({ ...options, content })
  const berth = await startBerth({ data, clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  return makeWorld({ upstream, clock, berth, data })
}

type Parts = {
  upstream: Upstream
  clock: ReturnType<typeof makeClock>
  berth: { url: string; stop(): Promise<void> }
  data: string
}

function makeWorld(parts: Parts) {
  const { upstream, berth } = parts
  const digest = (what: string) => upstream.content.digest(name, what)
  const get = (path: string, method = 'GET') => fetchRaw(`${berth.url}/v2/${name}/${path}`, { method })
  const manifest = (reference: string, method?: string) => get(`manifests/${reference}`, method)
  const blob = (what: string, method?: string) => get(`blobs/${digest(what)}`, method)
  const pull = async (reference = '1') => {
    const answer = await manifest(reference)
    const [config, layer] = await Promise.all([blob('config'), blob('layer')])
    return { answer, config, layer }
  }
  return { ...parts, digest, manifest, blob, pull }
}

type World = ReturnType<typeof makeWorld>

interface Row {
  what: string
  /** What happened before, not counted. */
  before?: (world: World) => unknown
  clients: (world: World) => Promise<Received[]>
  /** Requests at the upstream, in any order; `m`, `layer` and so on are put in by digest. */
  costs: string[]
  sees: (answers: Received[], world: World) => void
}

const warm = (world: World) => world.pull()
const warmThenLater = async (world: World) => {
  await world.pull()
  world.clock.advance(minute + 1)
}
const times = <T>(count: number, act: () => Promise<T>) => Promise.all(Array.from({ length: count }, act))
const seesManifest =
  (what: string) =>
  (answers: Received[], { digest, upstream }: World) => {
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      expect(answer.headers['docker-content-digest']).toBe(digest(what))
      expect(answer.raw.equals(upstream.content.bytes(name, what))).toBe(true)
      expect(answer.headers.warning).toBeUndefined()
    }
  }
const seesStatus = (status: number, code?: string) => (answers: Received[]) => {
  for (const answer of answers) {
    expect(answer.status).toBe(status)
    if (code) expect(answer.json()).toMatchObject({ errors: [{ code }] })
  }
}

const table: Row[] = [
  {
    what: '16 clients pull one cold image at once (case 16)',
    clients: async ({ pull }) =>
      (await times(16, pull)).flatMap(({ answer, config, layer }) => [answer, config, layer]),
    costs: ['GET manifests/1 200', 'GET blobs/config 200', 'GET blobs/layer 200'],
    sees: (answers, { upstream, digest }) => {
      seesStatus(200)(answers)
      expect(answers.filter(({ raw }) => raw.equals(upstream.content.bytes(name, 'layer')))).toHaveLength(16)
      for (const what of ['m', 'config', 'layer']) expect(upstream.sentAgain(digest(what))).toBe(0)
    },
  },
  {
    what: 'a pull by digest, warm',
    before: warm,
    clients: async ({ manifest, digest }) => [await manifest(digest('m'))],
    costs: [],
    sees: seesManifest('m'),
  },
  {
    what: '100 pulls of a tag within its freshness (case 35)',
    before: warm,
    clients: ({ manifest }) => times(100, () => manifest('1')),
    costs: [],
    sees: seesManifest('m'),
  },
  {
    what: 'a warm layer',
    before: warm,
    clients: ({ blob }) => times(3, () => blob('layer')),
    costs: [],
    sees: seesStatus(200),
  },
  {
    what: 'a HEAD of a warm layer',
    before: warm,
    clients: async ({ blob }) => [await blob('layer', 'HEAD')],
    costs: [],
    sees: seesStatus(200),
  },
  {
    what: 'a HEAD of a cold layer that a manifest named: its size is known (case 25)',
    before: ({ manifest }) => manifest('1'),
    clients: async ({ blob }) => [await blob('layer', 'HEAD')],
    costs: [],
    sees: ([answer]) => expect(answer!.headers['content-length']).toBe('300000'),
  },
  {
    what: 'a HEAD of a cold layer that nothing named: nothing is downloaded (case 25, harbor 22609)',
    clients: async ({ blob }) => [await blob('layer', 'HEAD')],
    costs: ['HEAD blobs/layer 200'],
    sees: ([answer]) => expect(answer!.headers['content-length']).toBe('300000'),
  },
  {
    what: '16 pulls of a tag after its freshness share one HEAD',
    before: warmThenLater,
    clients: ({ manifest }) => times(16, () => manifest('1')),
    costs: ['HEAD manifests/1 200'],
    sees: seesManifest('m'),
  },
  {
    what: 'a HEAD of a tag after its freshness',
    before: warmThenLater,
    clients: async ({ manifest }) => [await manifest('1', 'HEAD')],
    costs: ['HEAD manifests/1 200'],
    sees: seesStatus(200),
  },
  {
    what: 'a tag that moved (case 33, harbor 19429)',
    before: async (world) => {
      await warmThenLater(world)
      world.upstream.retag(name, '1', 'n')
    },
    clients: ({ manifest }) => times(4, () => manifest('1')),
    costs: ['HEAD manifests/1 200', 'GET manifests/n 200'],
    sees: seesManifest('n'),
  },
  {
    what: 'a tag that moved, asked for by HEAD first',
    before: async (world) => {
      await warmThenLater(world)
      world.upstream.retag(name, '1', 'n')
      expect((await world.manifest('1', 'HEAD')).headers['docker-content-digest']).toBe(world.digest('n'))
    },
    clients: async ({ manifest }) => [await manifest('1')],
    costs: [],
    sees: seesManifest('n'),
  },
  {
    what: 'a tag that moved to content that is known',
    before: async (world) => {
      await world.manifest(world.digest('n'))
      await warmThenLater(world)
      world.upstream.retag(name, '1', 'n')
    },
    clients: async ({ manifest }) => [await manifest('1')],
    costs: ['HEAD manifests/1 200'],
    sees: seesManifest('n'),
  },
  {
    what: 'a tag deleted upstream is gone here too (case 34, harbor 20079)',
    before: async (world) => {
      await warmThenLater(world)
      world.upstream.deleteTag(name, '1')
    },
    clients: async ({ manifest }) => [await manifest('1')],
    costs: ['HEAD manifests/1 404'],
    sees: seesStatus(404, 'MANIFEST_UNKNOWN'),
  },
  {
    what: 'its digest and its layers stay',
    before: async (world) => {
      await warmThenLater(world)
      world.upstream.deleteTag(name, '1')
      await world.manifest('1')
    },
    clients: async ({ manifest, digest, blob }) => [await manifest(digest('m')), await blob('layer')],
    costs: [],
    sees: seesStatus(200),
  },
  {
    what: 'what does not exist, twice: asked once',
    clients: async ({ manifest }) => [await manifest('none'), await manifest('none')],
    costs: ['GET manifests/none 404'],
    sees: seesStatus(404, 'MANIFEST_UNKNOWN'),
  },
  {
    what: 'what did not exist, and was pushed since: found within seconds',
    before: async ({ manifest, upstream, clock }) => {
      await manifest('none')
      upstream.retag(name, 'none', 'm')
      clock.advance(5_001)
    },
    clients: async ({ manifest }) => [await manifest('none')],
    costs: ['GET manifests/none 200'],
    sees: seesManifest('m'),
  },
  {
    what: 'after a restart, a pull of what is cached',
    before: async (world) => {
      await world.pull()
      await world.berth.stop()
      const { clock, upstream, data } = world
      world.berth.url = (await startBerth({ data, clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })).url
    },
    clients: async ({ pull }) => Object.values(await pull()),
    costs: [],
    sees: seesStatus(200),
  },
]

describe('what a pull costs', () => {
  it.each(table)('$what', async ({ before, clients, costs, sees }) => {
    const started = await startWorld()
    const world = makeWorld({ ...started, berth: { ...started.berth } })
    await before?.(world)
    world.upstream.forget()
    const answers = await clients(world)
    expect(asked(world).sort()).toEqual([...costs].sort())
    sees(answers, world)
  })
})

/** `GET manifests/m 200`: the upstream's requests by symbolic names. */
function asked({ upstream, digest }: World): string[] {
  return upstream.received.map(({ line, status }) => {
    const symbolic = Object.keys({ ...content[name].blobs, ...content[name].manifests }).reduce(
      (text, what) => text.replace(digest(what), what),
      line,
    )
    return `${symbolic.replace(`/v2/${name}/`, '')} ${status}`
  })
}

const bearer = { kind: 'bearer', realmHost: 'other' } as const
const outages: [string, (upstream: Upstream) => unknown, status: number, code: string][] = [
  ['is down', (upstream) => upstream.stop(), 502, 'UNAVAILABLE'],
  ['breaks connections', () => ({ faults: [{ reset: true }] }), 502, 'UNAVAILABLE'],
  ['says 500', () => ({ faults: [{ status: 500 }] }), 502, 'UNAVAILABLE'],
  ['says 503 in HTML', () => ({ faults: [{ status: 503, body: '<html>' }] }), 502, 'UNAVAILABLE'],
  [
    'says 429 in plain text (case 19, 20, distribution 3270)',
    () => ({ faults: [{ status: 429, body: 'slow down', headers: { 'retry-after': '7' } }] }),
    429,
    'TOOMANYREQUESTS',
  ],
  [
    'has a token server that is down (case 21, harbor 14822)',
    () => ({ auth: bearer, faults: [{ on: /token/, status: 500 }] }),
    502,
    'UNAVAILABLE',
  ],
  ['refuses the login', () => ({ auth: { kind: 'basic', users: { someone: 'else' } } }), 403, 'DENIED'],
  ['answers 200 and nothing', () => ({ faults: [{ status: 200, body: '' }] }), 502, 'UNAVAILABLE'],
  [
    'answers 200 and a login page',
    () => ({ faults: [{ status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }] }),
    502,
    'UNAVAILABLE',
  ],
]

describe.each(outages)('an upstream that %s', (_, breakIt, status, code) => {
  const broken = (upstream: Upstream) => {
    const changes = breakIt(upstream) as Parameters<Upstream['set']>[0] | Promise<void>
    if (!(changes instanceof Promise)) upstream.set(changes)
    return changes
  }

  it('costs a cached tag one try; it is served as it is, with Age and Warning, and again without a try', async () => {
    const world = await startWorld()
    await warmThenLater(world)
    await broken(world.upstream)
    world.upstream.forget()
    for (const answer of [await world.manifest('1'), ...(await times(5, () => world.manifest('1')))]) {
      expect(answer.status).toBe(200)
      expect(answer.headers['docker-content-digest']).toBe(world.digest('m'))
      expect(answer.headers.warning).toMatch(/^110 /)
      expect(answer.headers.age).toBe('60')
      expect(answer.raw.equals(world.upstream.content.bytes(name, 'm'))).toBe(true)
    }
    expect(world.upstream.count(/manifests/)).toBeLessThanOrEqual(2)
    world.clock.advance(500)
    expect((await world.manifest('1')).headers.age).toBe('61')
    const alike = ['content-type', 'content-length', 'docker-content-digest', 'etag']
    const [head, got] = [await world.manifest('1', 'HEAD'), await world.manifest('1')]
    for (const header of alike) expect([header, head.headers[header]]).toEqual([header, got.headers[header]])
    expect(got.headers['content-length']).toBe(String(world.upstream.content.size(name, 'm')))
    expect((await world.blob('layer')).raw.equals(world.upstream.content.bytes(name, 'layer'))).toBe(true)
  })

  it(`is told to clients who want what is not cached: ${status} ${code}, never 404, never an empty 200`, async () => {
    const world = await startWorld()
    await broken(world.upstream)
    const answer = await world.manifest('1')
    seesStatus(status, code)([answer])
    expect(answer.text()).toContain('docker.io')
    if (status === 429) expect(answer.headers['retry-after']).toBe('7')
    const unknown = await world.blob('layer')
    seesStatus(status)([unknown])
  })

  it('is asked again when it has recovered', async () => {
    const world = await startWorld()
    await warmThenLater(world)
    await broken(world.upstream)
    expect((await world.manifest('1')).headers.warning).toMatch(/^110 /)
    world.upstream.set(status === 403 ? { faults: [], auth: undefined } : { faults: [] })
    await world.upstream.restart().catch(() => {})
    world.upstream.retag(name, '1', 'n')
    world.clock.advance(2 * minute)
    seesManifest('n')([await world.manifest('1')], world)
  })
})

describe('an upstream that takes the request and says nothing', () => {
  it('costs one client some seconds; a cached tag is then served as it is', async () => {
    const world = await startWorld()
    await warmThenLater(world)
    world.upstream.set({ faults: [{ silent: true }] })
    const began = performance.now()
    const answers = await times(3, () => world.manifest('1'))
    expect(performance.now() - began).toBeLessThan(10_000)
    for (const answer of answers) expect(answer.headers.warning).toMatch(/^110 /)
    world.upstream.forget()
    expect((await world.manifest('1')).headers.warning).toMatch(/^110 /)
    expect(world.upstream.requests).toEqual([])
  })
})

describe('a start without its upstream', () => {
  it('serves what is cached (case 22, distribution 1435)', async () => {
    const before = await startWorld()
    await before.pull()
    await before.berth.stop()
    await before.upstream.stop()
    before.clock.advance(minute + 1)
    const { data, clock, upstream } = before
    const berth = await startBerth({ data, clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const { pull } = makeWorld({ ...before, berth })
    const { answer, layer } = await pull()
    expect(answer.headers.warning).toMatch(/^110 /)
    expect(layer.raw.equals(upstream.content.bytes(name, 'layer'))).toBe(true)
  })

  it.skipIf(!hasOpenssl)('whose certificate nobody trusts: serves what is cached, and 502 for the rest', async () => {
    const before = await startWorld()
    await before.pull()
    await before.berth.stop()
    before.clock.advance(minute + 1)
    const upstream = await startUpstream({ content, tls: makeCertificate() })
    const { data, clock } = before
    const berth = await startBerth({ data, clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const { manifest, blob, digest } = makeWorld({ ...before, berth })
    expect((await manifest('1')).headers.warning).toMatch(/^110 /)
    expect((await blob('layer')).status).toBe(200)
    seesStatus(502, 'UNAVAILABLE')([await manifest(digest('n'))])
  })
})

describe('a manifest over 4 MiB (case 55)', () => {
  it('is a clear error, and one of 3.9 MiB is pulled', async () => {
    const raw = (size: number) => JSON.stringify({ schemaVersion: 2, annotations: { a: 'x'.repeat(size) } })
    const manifests = { large: { raw: raw(4_000_000) }, tooLarge: { raw: raw(4_300_000) } }
    const upstream = await startUpstream({
      content: { [name]: { manifests, tags: { large: 'large', toolarge: 'tooLarge' } } },
    })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const get = (tag: string) => fetchRaw(`${berth.url}/v2/${name}/manifests/${tag}`)
    expect((await get('large')).raw.equals(upstream.content.bytes(name, 'large'))).toBe(true)
    const refused = await get('toolarge')
    expect(refused.status).toBe(502)
    expect(refused.text()).toMatch(/at most 4194304 bytes/)
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import type { RepositorySpec } from '../helpers/content.ts'
import { fetchRaw, type Sent } from '../helpers/http.ts'
import { attachByReferrer, attachByTag, makeSigner, types, type KeySigner } from '../helpers/signing.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// What a rule about signatures lets through, over HTTP, and every way around it.

const image = (name: string) => ({ config: `${name} config`, layers: [`${name} layer`] })
const content: RepositorySpec = {
  blobs: { 'one config': '{"one":1}', 'one layer': 'one layer', 'two config': '{"two":2}', 'two layer': 'two layer' },
  manifests: { one: image('one'), two: image('two'), index: { manifests: ['one', 'two'] } },
  tags: { 1: 'index', one: 'one' },
}

type Started = Awaited<ReturnType<typeof start>>

interface Options {
  signer?: KeySigner
  policy?: 'enforce' | 'warn'
  upstream?: object
  /** No rule at all. */
  open?: boolean
}

async function start({ signer = makeSigner(), open = false, policy = 'enforce', ...options }: Options = {}) {
  const upstream = await startUpstream({ content: { 'org/app': content, 'free/app': content } })
  const clock = makeClock()
  const rules = [{ match: 'org/**', policy, keys: [signer.file] }]
  const settings = (signatures: object[]) => ({
    clock,
    upstreams: [{ name: 'docker.io', url: upstream.url, virtualHosts: ['hub.test'], signatures, ...options.upstream }],
  })
  const digest = (name: string) => upstream.content.digest('org/app', name)
  const restart = async (berth: RunningBerth, signatures: object[] = rules) => {
    await berth.stop()
    return startBerth({ data: berth.data, ...settings(signatures) })
  }
  const berth = await startBerth(settings(open ? [] : rules))
  return { upstream, clock, berth, signer, rules, digest, restart }
}

const manifest = (reference: string) => `/v2/org/app/manifests/${reference}`
const blob = (digest: string) => `/v2/org/app/blobs/${digest}`

async function statusOf({ url }: RunningBerth, path: string, sent: Sent = {}): Promise<number> {
  return (await fetchRaw(url + path, sent)).status
}

/** What a client may try for an image. */
function everyWay({ digest }: Started, tag: string, name: string, blobs: string): [string, Sent][] {
  const layer = blob(digest(`${blobs} layer`))
  return [
    [manifest(tag), {}],
    [manifest(tag), { method: 'HEAD' }],
    [manifest(digest(name)), {}],
    [manifest(digest(name)), { method: 'HEAD' }],
    [manifest(digest(name)), { headers: { 'if-none-match': `"${digest(name)}"` } }],
    [`${manifest(tag)}?ns=docker.io`, {}],
    [`${manifest(digest(name))}?ns=docker.io`, {}],
    [`/v2/docker.io/org/app/manifests/${digest(name)}`, {}],
    [`/docker.io/v2/org/app/manifests/${digest(name)}`, {}],
    [manifest(digest(name)), { headers: { host: 'hub.test' } }],
    [manifest(tag), { headers: { 'cache-control': 'no-cache' } }],
    [`${manifest(tag)}@2030-01-01`, {}],
    [manifest(digest(blobs)), {}],
    [layer, {}],
    [layer, { method: 'HEAD' }],
    [layer, { headers: { range: 'bytes=0-0' } }],
    [layer, { headers: { range: 'bytes=-1' } }],
    [`${layer}?ns=docker.io`, {}],
    [blob(digest(`${blobs} config`)), { headers: { host: 'hub.test' } }],
  ]
}

async function statuses(berth: RunningBerth, ways: [string, Sent][]): Promise<Record<number, number>> {
  const seen: Record<number, number> = {}
  for (const [path, sent] of ways) {
    const status = await statusOf(berth, path, sent)
    seen[status] = (seen[status] ?? 0) + 1
  }
  return seen
}

describe('an image that is not signed, where a rule enforces it', () => {
  it('is DENIED in every way, cold', async () => {
    const started = await start()
    const ways = everyWay(started, '1', 'index', 'one')
    expect(await statuses(started.berth, ways)).toEqual({ 403: ways.length })
  })

  it('is DENIED in every way, warm, and fetched by nobody while the upstream is down', async () => {
    const started = await start({ open: true })
    const ways = everyWay(started, '1', 'index', 'one')
    expect(await statuses(started.berth, ways)).toEqual({ 200: 16, 206: 2, 304: 1 })
    const enforcing = await started.restart(started.berth, started.rules)
    expect(await statuses(enforcing, ways)).toEqual({ 403: ways.length })
    await started.upstream.stop()
    const again = await started.restart(enforcing, started.rules)
    const seen = await statuses(again, ways)
    expect(Object.keys(seen).filter((status) => !['403', '502'].includes(status))).toEqual([])
  })

  it('is told with the rule, what was wanted, what was seen, and the next step', async () => {
    const { berth, digest } = await start()
    expect((await fetchRaw(berth.url + manifest('one'))).json()).toEqual({
      errors: [
        {
          code: 'DENIED',
          message:
            `org/app@${digest('one')} may not be pulled from docker.io here: the signature rule org/** wants a signature by ec.pub, ` +
            'saw no signature; have it signed (cosign sign), or change signatures of docker.io',
        },
      ],
    })
  })

  it('stays refused with a signature of another manifest, by another key, or with a changed payload', async () => {
    const { berth, upstream, digest, signer, clock } = await start()
    const stranger = makeSigner()
    for (const layer of [
      signer.simple(digest('two')),
      stranger.simple(digest('one')),
      stranger.bundle(digest('one')),
    ]) {
      attachByTag(upstream, 'org/app', digest('one'), layer)
      attachByReferrer(upstream, 'org/app', digest('one'), layer)
      clock.advance(60_000)
      expect(await statusOf(berth, manifest(digest('one')))).toBe(403)
    }
    const message = (await fetchRaw(berth.url + manifest('one'))).text()
    expect(message).toContain('saw a signature by another key and a signature of another manifest;')
  })

  it('is not opened by a repository without a rule that holds the same, nor by the signature there', async () => {
    const { berth, upstream, digest, signer } = await start()
    attachByTag(upstream, 'free/app', digest('one'), signer.simple(digest('one')))
    const free = (path: string) => path.replace('/org/', '/free/')
    for (const path of [manifest('one'), manifest(digest('one')), blob(digest('one layer'))]) {
      expect([await statusOf(berth, free(path)), await statusOf(berth, path)]).toEqual([200, 403])
    }
  })

  it('is not opened by another repository with the same rule where the same image is signed', async () => {
    const { berth, upstream, digest, signer } = await start()
    upstream.push('org/other', content)
    attachByTag(upstream, 'org/other', digest('one'), signer.simple(digest('one')))
    const other = (path: string) => path.replace('/app/', '/other/')
    for (const path of [manifest('one'), manifest(digest('one')), blob(digest('one layer'))]) {
      expect([await statusOf(berth, other(path)), await statusOf(berth, path)]).toEqual([200, 403])
    }
  })

  it('is served as soon as it is signed', async () => {
    const { berth, upstream, digest, signer, clock } = await start({ upstream: { freshness: 'always' } })
    expect(await statusOf(berth, manifest('one'))).toBe(403)
    attachByReferrer(upstream, 'org/app', digest('one'), signer.bundle(digest('one')))
    clock.advance(10_000)
    expect(await statusOf(berth, manifest('one'))).toBe(200)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(200)
  })

  it('is asked about once, however many want it', async () => {
    const { berth, upstream, digest } = await start()
    const pulls = Array.from({ length: 16 }, () => statusOf(berth, manifest(digest('one'))))
    expect(new Set(await Promise.all(pulls))).toEqual(new Set([403]))
    expect([upstream.count('.sig'), upstream.count('/referrers/')]).toEqual([1, 1])
  })
})

const forms = {
  'tag sha256-<hex>.sig': ({ upstream, digest, signer }: Started, name: string) =>
    attachByTag(upstream, 'org/app', digest(name), signer.simple(digest(name))),
  'referrer with a bundle': ({ upstream, digest, signer }: Started, name: string) =>
    attachByReferrer(upstream, 'org/app', digest(name), signer.bundle(digest(name))),
}

describe.each(Object.entries(forms))('an index that is signed by %s', (_form, attach) => {
  it('is served in every way, with its children and their blobs, and costs nothing when warm', async () => {
    const started = await start()
    attach(started, 'index')
    const ways = everyWay(started, '1', 'index', 'two')
    expect(await statuses(started.berth, ways)).toEqual({ 200: 16, 206: 2, 304: 1 })
    started.upstream.forget()
    expect(await statuses(started.berth, ways)).toEqual({ 200: 16, 206: 2, 304: 1 })
    // A client's no-cache has the tag checked.
    expect(started.upstream.requests).toEqual(['HEAD /v2/org/app/manifests/1 200'])
  })

  it('is served after a restart while the upstream is down', async () => {
    const started = await start()
    attach(started, 'index')
    const ways = everyWay(started, '1', 'index', 'one')
    await statuses(started.berth, ways)
    await started.upstream.stop()
    started.clock.advance(7 * 24 * 3_600_000)
    const again = await started.restart(started.berth)
    // Blobs and the child first: nothing is in memory then.
    expect(await statuses(again, ways.toReversed())).toEqual({ 200: 16, 206: 2, 304: 1 })
  })

  it('opens nothing else: its children are refused where it was not seen, and other images always', async () => {
    const started = await start()
    const { berth, digest, upstream } = started
    attach(started, 'index')
    upstream.push('org/app', {
      blobs: { 'three config': '{}', 'three layer': 'three' },
      manifests: { three: image('three') },
    })
    expect(await statusOf(berth, manifest(digest('one')))).toBe(403)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(403)
    expect(await statusOf(berth, manifest('1'))).toBe(200)
    expect(await statusOf(berth, manifest(digest('one')))).toBe(200)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(200)
    expect(await statusOf(berth, manifest(digest('three')))).toBe(403)
    expect(await statusOf(berth, blob(digest('three layer')))).toBe(403)
  })

  it('opens a blob of it that many other images have as well, after a restart too', async () => {
    const started = await start({ policy: 'warn' })
    const { berth, digest, upstream } = started
    attach(started, 'index')
    const layers = (i: number) => ({ config: 'two config', layers: ['one layer'], annotations: { number: String(i) } })
    const manifests = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`other ${i}`, layers(i)]))
    upstream.push('org/app', { manifests })
    const named = ['index', 'one', ...Object.keys(manifests)].map((name) => manifest(digest(name)))
    for (const path of named) expect(await statusOf(berth, path)).toBe(200)
    // A warning is found out in the background.
    const metrics = async () => (await fetchRaw(`${berth.url}/metrics`)).text()
    await expect.poll(metrics).toContain('berth_signature_checks_total{upstream="docker.io",result="good"} ')
    const enforcing = await started.restart(berth, [{ ...started.rules[0], policy: 'enforce' }])
    expect(await statusOf(enforcing, manifest(digest('other 0')))).toBe(403)
    expect(await statusOf(enforcing, blob(digest('one layer')))).toBe(200)
  })

  it('is looked at anew when other signers are trusted', async () => {
    const started = await start()
    attach(started, 'index')
    const ways = everyWay(started, '1', 'index', 'one')
    await statuses(started.berth, ways)
    const stranger = makeSigner()
    const strict = await started.restart(started.berth, [{ ...started.rules[0], keys: [stranger.file] }])
    expect(await statuses(strict, ways)).toEqual({ 403: ways.length })
    const both = [started.signer.file, stranger.file]
    const again = await started.restart(strict, [{ ...started.rules[0], keys: both }])
    expect(await statuses(again, ways.toReversed())).toEqual({ 200: 16, 206: 2, 304: 1 })
  })
})

describe('signatures themselves, where a rule enforces them', () => {
  it('can be pulled with their blobs, and listed, also after a restart while the upstream is down', async () => {
    const { berth, upstream, digest, signer, restart } = await start()
    const tag = attachByTag(upstream, 'org/app', digest('one'), signer.simple(digest('one')))
    const referrer = attachByReferrer(upstream, 'org/app', digest('one'), signer.bundle(digest('one')))
    const parts = [tag, referrer].flatMap((reference) => {
      const { config, layers } = upstream.content.in('org/app').json(reference) as {
        config: { digest: string }
        layers: { digest: string }[]
      }
      return [manifest(reference), blob(config.digest), blob(layers[0]!.digest)]
    })
    const walk: [string, Sent][] = [...parts, `/v2/org/app/referrers/${digest('one')}`].map((path) => [path, {}])
    expect(await statuses(berth, walk)).toEqual({ 200: walk.length })
    await upstream.stop()
    expect(await statuses(await restart(berth), walk.toReversed())).toEqual({ 200: walk.length })
  })

  it('do not smuggle: a layer that is no JSON is refused, whatever its type says', async () => {
    const { berth, upstream, digest } = await start()
    upstream.push('org/app', {
      blobs: { evil: Buffer.from([0x1f, 0x8b, 8, 0]), fine: '{}' },
      manifests: { disguised: { config: 'fine', layers: [{ of: 'evil', mediaType: types.simple }] } },
    })
    await statusOf(berth, manifest(digest('disguised')))
    expect(await statusOf(berth, blob(digest('evil')))).toBe(403)
    expect(await statusOf(berth, blob(digest('evil')), { headers: { range: 'bytes=0-1' } })).toBe(403)
    expect(await statusOf(berth, blob(digest('fine')))).toBe(200)
  })

  it('do not smuggle: an image beside a signature in one manifest is refused', async () => {
    const { berth, upstream, digest } = await start()
    upstream.push('org/app', {
      blobs: { fine: '{}' },
      manifests: { mixed: { config: 'fine', layers: [{ of: 'fine', mediaType: types.simple }, 'one layer'] } },
      tags: { [`sha256-${'0'.repeat(64)}.sig`]: 'mixed' },
    })
    expect(await statusOf(berth, manifest(`sha256-${'0'.repeat(64)}.sig`))).toBe(403)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(403)
  })

  it('do not smuggle: a manifest that is the JSON layer of a signature is no manifest to pull', async () => {
    const { berth, upstream, digest } = await start()
    const bytes = upstream.content.bytes('org/app', 'one')
    upstream.push('org/app', {
      blobs: { copy: bytes, fine: '{}' },
      manifests: { carrier: { config: 'fine', layers: [{ of: 'copy', mediaType: types.simple }] } },
    })
    expect(await statusOf(berth, manifest(digest('carrier')))).toBe(200)
    expect(await statusOf(berth, blob(digest('one')))).toBe(200)
    expect(await statusOf(berth, manifest(digest('one')))).toBe(403)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(403)
  })

  it('do not smuggle: an index of signatures opens none of its children', async () => {
    const { berth, upstream, digest } = await start()
    const listed = { of: 'one', artifactType: types.bundle }
    upstream.push('org/app', { manifests: { list: { manifests: [listed] } } })
    expect(await statusOf(berth, manifest(digest('list')))).toBe(200)
    expect(await statusOf(berth, manifest(digest('one')))).toBe(403)
  })
})

describe('an upstream that fails while a signature is looked for', () => {
  it('is the answer, as 502, and opens nothing; later the check is made', async () => {
    const { berth, upstream, digest, signer, clock } = await start()
    attachByReferrer(upstream, 'org/app', digest('one'), signer.bundle(digest('one')))
    upstream.set({ faults: [{ on: /\/referrers\//, status: 500 }] })
    expect(await statusOf(berth, manifest('one'))).toBe(502)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(403)
    upstream.set({ faults: [] })
    clock.advance(60_000)
    expect(await statusOf(berth, manifest('one'))).toBe(200)
  })

  it('does not matter where a good signature is found in the other place', async () => {
    const { berth, upstream, digest, signer } = await start()
    attachByReferrer(upstream, 'org/app', digest('one'), signer.bundle(digest('one')))
    upstream.set({ faults: [{ on: /\.sig/, status: 500 }] })
    expect(await statusOf(berth, manifest('one'))).toBe(200)
  })
})

describe('a rule that warns', () => {
  it('lets everything through, tells of it once, and counts it', async () => {
    const { berth, upstream, digest } = await start({ policy: 'warn' })
    for (let i = 0; i < 3; i++) expect(await statusOf(berth, manifest('one'))).toBe(200)
    expect(await statusOf(berth, blob(digest('one layer')))).toBe(200)
    await upstream.asked('/referrers/')
    expect(upstream.count('/referrers/')).toBe(1)
    const metrics = async () => (await fetchRaw(`${berth.url}/metrics`)).text()
    await expect.poll(metrics).toContain('berth_signature_checks_total{upstream="docker.io",result="warned"} 1')
  })

  it('keeps nobody waiting', async () => {
    const { berth, upstream } = await start({ policy: 'warn' })
    const release = upstream.hold(/\.sig/)
    expect(await statusOf(berth, manifest('one'))).toBe(200)
    release()
  })
})

it('the first rule that fits a repository holds', async () => {
  const upstream = await startUpstream({ content: { 'org/app': content, 'org/free': content, 'else/app': content } })
  const keys = [makeSigner().file]
  const signatures = [
    { match: 'org/free', policy: 'warn', keys },
    { match: 'org/*', policy: 'enforce', keys },
  ]
  const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url, signatures }] })
  const seen = ['org/app', 'org/free', 'else/app'].map((name) => statusOf(berth, `/v2/${name}/manifests/one`))
  expect(await Promise.all(seen)).toEqual([403, 200, 200])
})

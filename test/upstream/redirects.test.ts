import { describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Redirects are followed here and shown to nobody (case 41: renovate #3877, rpardini #26, distribution #4545).

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'org/app': image }

async function start(options: Omit<UpstreamOptions, 'content'>) {
  const upstream = await startUpstream({ content, ...options })
  const reader = await startReader({ url: upstream.url })
  const digest = upstream.content.digest('org/app', 'a')
  return { upstream, reader, digest, blob: async () => (await reader.blob('org/app', digest)).toString() }
}

/** A registry that answers everything with this Location. */
async function startRedirecting(location: string) {
  const faults = [{ on: /^(GET|HEAD) \/v2/, status: 307, headers: { location } }]
  return start({ faults })
}

describe('a blob', () => {
  it.each([301, 302, 303, 307, 308] as const)('behind a %i to another host comes from there', async (status) => {
    const { upstream, blob } = await start({ cdn: { status } })
    expect(await blob()).toBe('0123456789')
    expect(upstream.count(/^cdn GET .* 200$/)).toBe(1)
  })

  it('behind a relative Location comes from there', async () => {
    const { upstream, blob } = await start({ cdn: { redirect: 'relative' } })
    expect(await blob()).toBe('0123456789')
    expect(upstream.requests.at(-1)).toMatch(/^GET \/storage/)
  })

  it('is asked for a range there, too', async () => {
    const { reader, digest } = await start({ cdn: {} })
    expect((await reader.blob('org/app', digest, { start: 3, end: 5 })).toString()).toBe('34')
  })

  it('has its size told by a byte of it where the redirected HEAD is refused (a URL signed for GET: stargz #167)', async () => {
    const { upstream, reader, digest } = await start({ cdn: { redirectHead: true } })
    expect(await reader.headBlob('org/app', digest)).toEqual({ digest, size: 10 })
    expect(upstream.received.map(({ role, method }) => `${role} ${method}`)).toEqual([
      'registry HEAD',
      'cdn HEAD',
      'registry GET',
      'cdn GET',
    ])
  })
})

describe('a signed URL', () => {
  it('is used again for the next range, without asking the registry', async () => {
    const { upstream, reader, digest } = await start({ cdn: {} })
    for (const start of [0, 5]) await reader.blob('org/app', digest, { start, end: start + 5 })
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry', 'cdn', 'cdn'])
  })

  it('that has expired is asked for again', async () => {
    const { upstream, blob } = await start({ cdn: {} })
    await blob()
    upstream.expireUrls()
    upstream.forget()
    expect(await blob()).toBe('0123456789')
    expect(upstream.received.map(({ role, status }) => `${role} ${status}`)).toEqual([
      'cdn 403',
      'registry 307',
      'cdn 200',
    ])
  })

  it('is not used for long, so that it never expires in use', async () => {
    const { upstream, reader, blob } = await start({ cdn: {} })
    await blob()
    reader.clock.advance(60_000)
    await blob()
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry', 'cdn', 'registry', 'cdn'])
  })

  it('is forgotten when its host broke off: a retry takes the way through the registry, which may name another', async () => {
    const { upstream, reader, blob } = await start({ cdn: {}, faults: [{ on: /^cdn/, cutAfter: 4, times: 1 }] })
    await expect(blob()).rejects.toMatchObject({ failure: 'unreachable' })
    reader.clock.advance(5000)
    expect(await blob()).toBe('0123456789')
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry', 'cdn', 'registry', 'cdn'])
  })

  it('is forgotten when its host does not answer', async () => {
    const { upstream, reader, blob } = await start({ cdn: {} })
    await blob()
    upstream.set({ faults: [{ on: /^cdn/, reset: true, times: 2 }] })
    await expect(blob()).rejects.toMatchObject({ failure: 'unreachable' })
    reader.clock.advance(5000)
    upstream.forget()
    expect(await blob()).toBe('0123456789')
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry', 'cdn'])
  })

  it('never reaches a client, nor does the redirect', async () => {
    const { upstream, digest } = await start({ cdn: { redirectHead: true } })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    for (const method of ['HEAD', 'GET']) {
      const { status, headers } = await fetchRaw(`${berth.url}/v2/org/app/blobs/${digest}`, { method })
      expect([status, headers.location, headers['content-length']]).toEqual([200, undefined, '10'])
      expect(JSON.stringify(headers)).not.toContain('signature')
    }
  })
})

describe('a registry that redirects everything (registry.k8s.io)', () => {
  async function startFront(options: Partial<UpstreamOptions> = {}) {
    const backend = await startUpstream({ content: { 'images/org/app': image }, auth: { kind: 'bearer' }, ...options })
    const front = await start({ redirectTo: `${backend.url}/v2/images` })
    return { backend, ...front }
  }

  it('is followed for manifests, HEAD and GET, and the challenge there is answered for that host', async () => {
    const { upstream, backend, reader } = await startFront()
    const digest = backend.content.digest('images/org/app', 'm')
    expect(await reader.head('org/app', '20')).toMatchObject({ digest })
    expect(await reader.manifest('org/app', '20')).toMatchObject({ digest })
    expect(backend.count('scope=repository%3Aimages%2Forg%2Fapp%3Apull')).toBe(1)
    expect(upstream.received.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('is challenged there once for each repository, whose name there is another', async () => {
    const { backend, reader } = await startFront()
    await reader.head('org/app', '20')
    backend.forget()
    await reader.manifest('org/app', '20')
    await reader.tags('org/app')
    expect(backend.received.map(({ status }) => status)).toEqual([200, 200])
  })

  it('is followed for blobs and lists', async () => {
    const { reader, blob } = await startFront()
    expect(await blob()).toBe('0123456789')
    expect(await reader.tags('org/app')).toEqual(['20'])
  })

  it('is followed through a second redirect, to a CDN', async () => {
    const { backend, blob } = await startFront({ cdn: {} })
    expect(await blob()).toBe('0123456789')
    expect(backend.received.find(({ role }) => role === 'cdn')?.headers.authorization).toBeUndefined()
  })
})

describe('a redirect', () => {
  it('in a circle ends in a bad answer after some hops', async () => {
    const { upstream, reader } = await startRedirecting('/v2/org/app/manifests/20')
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
    expect(upstream.requests).toHaveLength(11)
  })

  it.each(['http://', 'https://user:pa ss@/', 'file:///etc/passwd', 'data:,x', 'gopher://127.0.0.1/', '//'])(
    'to %s is a bad answer',
    async (location) => {
      const { reader } = await startRedirecting(location)
      await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
    },
  )

  it('with a login in its URL takes none along', async () => {
    const other = await startUpstream({ content })
    const { reader } = await startRedirecting(`http://me:secret@${other.host}/v2/org/app/manifests/20`)
    await reader.manifest('org/app', '20')
    expect(other.received.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })

  it('without a Location is a bad answer', async () => {
    const { reader } = await start({ faults: [{ status: 307 }] })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ failure: 'bad-answer', status: 502 })
  })
})

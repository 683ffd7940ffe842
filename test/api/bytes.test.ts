import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw } from '../helpers/http.ts'
import { mediaTypes, type ManifestSpec } from '../helpers/manifest-spec.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Bytes and headers exactly as they are, also where they are odd.

async function start(manifest: ManifestSpec = { layers: ['a'] }, options: Partial<UpstreamOptions> = {}) {
  const content = { 'org/app': { blobs: { a: '0123456789' }, manifests: { m: manifest }, tags: { 20: 'm' } } }
  const upstream = await startUpstream({ content, ...options })
  const berth = await startBerth({ upstreams: [{ name: 'registry.k8s.io', url: upstream.url, default: true }] })
  const digest = (name: string) => upstream.content.digest('org/app', name)
  const manifestUrl = `${berth.url}/v2/org/app/manifests/20`
  const blobUrl = `${berth.url}/v2/org/app/blobs/${digest('a')}`
  return { upstream, berth, digest, manifestUrl, blobUrl, bytes: upstream.content.bytes('org/app', 'm') }
}

describe('a manifest', () => {
  const mediaType = mediaTypes.ociManifest
  it.each<[string, string | Uint8Array]>([
    ['letters beyond ASCII', JSON.stringify({ mediaType, annotations: { who: 'Ünïcode, 日本語, 🐳' } })],
    ['a byte order of its own and blanks', `\n\n  {"layers":[ ],\t"mediaType":"${mediaType}" }\r\n`],
    ['bytes that are no UTF-8', Buffer.from('7b2261223a22ff227d', 'hex')],
    ['no JSON at all', 'just text'],
    ['a byte 0', '{"a":"\0"}'],
    ['nothing', ''],
  ])('with %s is the same, cold and warm, by GET and HEAD', async (_, raw) => {
    const { manifestUrl, bytes } = await start({ raw, mediaType })
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) {
      const answer = await fetchRaw(manifestUrl, { method })
      expect([answer.status, answer.headers['content-length']]).toEqual([200, String(bytes.length)])
      if (method === 'GET') expect(answer.raw.equals(bytes)).toBe(true)
    }
  })

  it.each(['a/b\r\nX-Injected: yes', 'ü/ü', 'no type', '', 'a/b, c/d', 'a/b\0'])(
    'that says it is of type %j, which no header can hold, is served as what it looks like',
    async (wrong) => {
      const raw = JSON.stringify({ mediaType: wrong, layers: [] })
      const { manifestUrl } = await start({ raw }, { quirks: { manifestType: 'application/json' } })
      const answer = await fetchRaw(manifestUrl)
      expect([answer.status, answer.headers['content-type'], answer.text()]).toEqual([200, mediaType, raw])
      expect(answer.headers['x-injected']).toBeUndefined()
    },
  )

  it('that the upstream calls encoded is passed as it is', async () => {
    const { upstream, manifestUrl, bytes } = await start()
    const headers = { 'content-type': mediaType, 'content-encoding': 'gzip' }
    upstream.set({ faults: [{ on: /manifests/, status: 200, body: bytes.toString(), headers }] })
    const answer = await fetchRaw(manifestUrl)
    expect([answer.status, answer.headers['content-encoding'], answer.raw.equals(bytes)]).toEqual([
      200,
      undefined,
      true,
    ])
  })
})

describe('ns', () => {
  it('in letters that only look like a registry’s is unknown, not a broken header', async () => {
    const { manifestUrl } = await start()
    // The Kelvin sign is a k in lower case.
    const answer = await fetchRaw(`${manifestUrl}?ns=registry.%E2%84%AA8s.io`)
    expect(answer.status).toBe(404)
    expectError(answer, 'NAME_UNKNOWN')
  })

  it('with a line break is unknown, not a header of its own', async () => {
    const { manifestUrl } = await start()
    const answer = await fetchRaw(`${manifestUrl}?ns=registry.k8s.io%0d%0aX-Injected:%20yes`)
    expect([answer.status, answer.headers['x-injected']]).toEqual([404, undefined])
  })
})

describe('a blob of unknown length', () => {
  it('is answered whole where a range was asked for: nobody knows what the range means', async () => {
    const { blobUrl } = await start({ raw: 'x' }, { quirks: { chunked: true, noRange: true } })
    const answer = await fetchRaw(blobUrl, { headers: { range: 'bytes=-3' } })
    expect([answer.status, answer.text(), answer.headers['content-range']]).toEqual([200, '0123456789', undefined])
  })
})

it('answers to requests sent at once on one connection come in order, each whole', async () => {
  const { berth, digest, bytes } = await start()
  const paths = ['/v2/', `/v2/org/app/blobs/${digest('a')}`, '/v2/org/app/manifests/20', '/v2/none', '/healthz']
  const twice = [...paths, ...paths]
  const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => (text += data))
  const close = (i: number) => (i === twice.length - 1 ? 'Connection: close\r\n' : '')
  socket.write(twice.map((path, i) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${close(i)}\r\n`).join(''))
  await once(socket, 'close')
  const bodies: string[] = []
  for (let rest = text; rest !== '';) {
    const [head = ''] = rest.split('\r\n\r\n', 1)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    bodies.push(rest.slice(head.length + 4, head.length + 4 + length))
    rest = rest.slice(head.length + 4 + length)
  }
  const expected = ['{}', '0123456789', bytes.toString('latin1'), /NAME_UNKNOWN/, 'ok\n']
  expect(bodies).toHaveLength(10)
  for (const [i, body] of bodies.entries()) expect(body).toEqual(expect.stringMatching(asPattern(expected[i % 5]!)))
})

function asPattern(text: string | RegExp): RegExp {
  return text instanceof RegExp ? text : new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
}

import { beforeAll, describe, expect, it } from 'vitest'
import { testApi, type Row } from '../helpers/api-table.ts'
import { makeContent } from '../helpers/content.ts'
import { fetchRaw, openRaw } from '../helpers/http.ts'
import { shareBerth } from '../helpers/shared-berth.ts'

// Ranges of blobs (RFC 9110, 14; cases 44: spegel #548, serverless-registry PR #147, dragonfly client PR #1874).

const KiB = 1024
const size = 3 * KiB * KiB
const big = ['suffix', 'middle', 'beyond', 'several', 'open', 'untouched']
const content = makeContent({
  'library/node': {
    blobs: { a: '0123456789', empty: '', large: { size: 300 * KiB, seed: 1 }, cold: { size: 300 * KiB, seed: 2 } },
    manifests: { m: { config: 'a', layers: ['large', 'empty', 'cold'] } },
    tags: { 20: 'm' },
  },
  // An image each: nothing of one is read ahead for another.
  'library/big': {
    blobs: Object.fromEntries(big.map((name, seed) => [name, { size, seed }])),
    manifests: Object.fromEntries(big.map((name) => [`image-${name}`, { config: name, layers: [name] }])),
    tags: Object.fromEntries(big.map((name) => [name, `image-${name}`])),
  },
})
const node = content.in('library/node')
const bigOnes = content.in('library/big')
const of = (name: string) => node.digest(name)
const path = `/v2/library/node/blobs/${of('a')}`

const berth = shareBerth(content)
const url = () => berth.url
const blobUrl = (name: string) => `${berth.url}/v2/library/node/blobs/${of(name)}`

const part = (range: string, contentRange: string, body: string, more: object = {}): Row => ({
  name: `end-2 GET blob, ${range}: 206`,
  path,
  headers: { range, ...more },
  status: 206,
  want: {
    'content-range': `bytes ${contentRange}/10`,
    'content-length': String(body.length),
    'content-type': 'application/octet-stream',
    'docker-content-digest': of('a'),
    'accept-ranges': 'bytes',
    etag: `"${of('a')}"`,
  },
  body,
})
const whole = (name: string, headers: Record<string, string>): Row => ({
  name: `end-2 GET blob, ${name}: 200, the whole, no Content-Range`,
  path,
  headers,
  status: 200,
  want: { 'content-range': undefined, 'content-length': '10' },
  body: '0123456789',
})
const refused = (range: string, of = path, size = 10): Row => ({
  name: `end-2 GET blob of ${size} bytes, ${range}: 416 with the size`,
  path: of,
  headers: { range },
  status: 416,
  want: { 'content-range': `bytes */${size}` },
  code: 'RANGE_INVALID',
})

describe('one range', () => {
  testApi(url, [
    part('bytes=2-4', '2-4', '234'),
    part('bytes=0-0', '0-0', '0'),
    part('bytes=0-9', '0-9', '0123456789'),
    part('bytes=7-', '7-9', '789'),
    part('bytes=0-', '0-9', '0123456789'),
    part('bytes=-3', '7-9', '789'),
    part('bytes=-100', '0-9', '0123456789'),
    part('bytes=8-100', '8-9', '89'),
    part('BYTES=8-8', '8-8', '8'),
    refused('bytes=10-'),
    refused('bytes=50-60'),
    refused('bytes=-0'),
    refused('bytes=5-3'),
    refused('bytes=99999999999999-'),
    refused('bytes=0-', `/v2/library/node/blobs/${of('empty')}`, 0),
    whole('a unit that is none', { range: 'items=0-1' }),
    whole('a range that is none', { range: 'bytes=a-b' }),
    whole('an empty range', { range: 'bytes=' }),
    whole('a range of HTTP/0.9 hopes', { range: '0-1' }),
    {
      name: 'end-2 HEAD blob, bytes=2-4: 200 with the whole length (Range is for GET)',
      method: 'HEAD',
      path,
      headers: { range: 'bytes=2-4' },
      status: 200,
      want: { 'content-length': '10', 'content-range': undefined, 'accept-ranges': 'bytes' },
    },
    {
      name: 'end-2 GET blob that is not there, bytes=0-1: 404',
      path: `/v2/library/node/blobs/sha256:${'0'.repeat(64)}`,
      headers: { range: 'bytes=0-1' },
      status: 404,
      code: 'BLOB_UNKNOWN',
    },
  ])
})

describe('If-Range', () => {
  const range = 'bytes=2-4'
  testApi(url, [
    { ...part(range, '2-4', '234', { 'if-range': `"${of('a')}"` }), name: 'of this content: 206' },
    { ...part(range, '2-4', '234', { 'if-range': of('a') }), name: 'of this content, its digest bare: 206' },
    { ...whole('', { range, 'if-range': '"other"' }), name: 'of other content: 200, the whole' },
    { ...whole('', { range, 'if-range': 'Tue, 01 Jan 2030 00:00:00 GMT' }), name: 'of a date: 200, the whole' },
    {
      ...whole('', { range, 'if-range': `W/"${of('a')}"` }),
      name: 'with a weak tag: 200, the whole (RFC 9110, 13.1.5)',
    },
    {
      name: 'and If-None-Match of this content: 304, whatever the range',
      path,
      headers: { range, 'if-none-match': `"${of('a')}"` },
      status: 304,
      body: '',
    },
  ])
})

describe('several ranges (stargz, soci and zstd:chunked ask for dozens)', () => {
  it('come as multipart/byteranges with an exact length, in the order asked', async () => {
    const answer = await fetchRaw(blobUrl('a'), { headers: { range: 'bytes=7-, 0-1 ,-1' } })
    expect(answer.status).toBe(206)
    const [, boundary = ''] = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.headers['content-type'] ?? '') ?? []
    expect(answer.headers['content-length']).toBe(String(answer.raw.length))
    expect(answer.headers['content-range']).toBeUndefined()
    const expected = [
      ['7-9', '789'],
      ['0-1', '01'],
      ['9-9', '9'],
    ].map(
      ([range, bytes]) =>
        `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}\r\n`,
    )
    expect(answer.text()).toBe(`${expected.join('')}--${boundary}--\r\n`)
  })

  testApi(url, [
    part('bytes=50-60,3-4', '3-4', '34'),
    refused('bytes=50-60,70-80'),
    whole('ranges that overlap to more than the whole', { range: 'bytes=0-,0-,0-' }),
    whole('very many ranges', { range: `bytes=${'0-0,'.repeat(1000)}0-0` }),
  ])
})

describe('a range of a blob that is not cached', () => {
  it('is answered from a request for that range, and the whole is kept after it (case 44)', async () => {
    berth.upstream.forget()
    const range = { headers: { range: 'bytes=100000-100009' } }
    const answer = await fetchRaw(blobUrl('cold'), range)
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'bytes 100000-100009/307200'])
    expect(answer.raw.equals(node.bytes('cold').subarray(100_000, 100_010))).toBe(true)
    await berth.upstream.until(({ open }) => open === 0 && berth.upstream.bytesSent >= 300 * KiB)
    const later = await fetchRaw(blobUrl('cold'))
    expect([later.status, later.raw.equals(node.bytes('cold'))]).toEqual([200, true])
    expect(berth.upstream.sentAgain(of('cold'))).toBe(0)
  })

  it('of which the client reads one piece and hangs up leaves the next client right (containerd, chunks)', async () => {
    const first = await openRaw(blobUrl('large'), { headers: { range: 'bytes=1-' } })
    const piece = await first.read(1000)
    first.destroy()
    expect(piece.equals(node.bytes('large').subarray(1, 1001))).toBe(true)
    expect((await fetchRaw(blobUrl('large'))).raw.equals(node.bytes('large'))).toBe(true)
  })
})

// The upstream sends the first 5000 bytes of each answer and holds the rest: what is answered was asked for by itself.
describe('a range of a large cold blob', () => {
  const bigUrl = (name: string) => `${berth.url}/v2/library/big/blobs/${bigOnes.digest(name)}`
  // Its size is known by the manifest that names it.
  beforeAll(async () => {
    for (const name of big) await fetchRaw(`${berth.url}/v2/library/big/manifests/${name}`)
  })

  it.each([
    ['suffix', 'bytes=-1000', size - 1000, size],
    ['middle', `bytes=${size / 2}-${size / 2 + 999}`, size / 2, size / 2 + 1000],
    ['beyond', `bytes=${size - 10}-${size * 2}`, size - 10, size],
  ])('comes before the rest: %s (%s)', async (name, range, start, end) => {
    const release = berth.upstream.hold(new RegExp(bigOnes.digest(name)), 5000)
    const answer = await fetchRaw(bigUrl(name), { headers: { range } })
    expect([answer.status, answer.headers['content-range']]).toEqual([206, `bytes ${start}-${end - 1}/${size}`])
    expect(answer.raw.equals(bigOnes.bytes(name).subarray(start, end))).toBe(true)
    release()
  })

  it('may be several: each is fetched by itself, in the order asked', async () => {
    const release = berth.upstream.hold(new RegExp(bigOnes.digest('several')), 5000)
    const answer = await fetchRaw(bigUrl('several'), { headers: { range: 'bytes=2000000-2000099,0-99,-100' } })
    expect([answer.status, answer.headers['content-length']]).toEqual([206, String(answer.raw.length)])
    const bytes = bigOnes.bytes('several')
    let at = 0
    for (const [start, end] of [
      [2_000_000, 2_000_100],
      [0, 100],
      [size - 100, size],
    ] as const) {
      at = answer.raw.indexOf('\r\n\r\n', at) + 4
      expect(answer.raw.subarray(at, at + end - start).equals(bytes.subarray(start, end)), `${start}`).toBe(true)
    }
    release()
  })

  it('may be open: it streams from there to the end', async () => {
    const answer = await fetchRaw(bigUrl('open'), { headers: { range: 'bytes=1000000-' } })
    expect([answer.status, answer.headers['content-range']]).toEqual([206, `bytes 1000000-${size - 1}/${size}`])
    expect(answer.raw.equals(bigOnes.bytes('open').subarray(1_000_000))).toBe(true)
  })

  it('past its end is a 416 that costs the upstream no byte', async () => {
    const answer = await fetchRaw(bigUrl('untouched'), { headers: { range: `bytes=${size}-` } })
    expect([answer.status, answer.headers['content-range']]).toEqual([416, `bytes */${size}`])
    expect(berth.upstream.served(bigOnes.digest('untouched'))).toEqual([])
  })
})

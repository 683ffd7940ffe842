import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, it } from 'vitest'
import { testApi, type Row } from '../helpers/api-table.ts'
import { makeContent } from '../helpers/content.ts'
import { fetchRaw } from '../helpers/http.ts'
import { shareBerth } from '../helpers/shared-berth.ts'

// What no client should send, and what looks like it: a clear error in JSON each, and the upstream never asked.

const image = {
  blobs: { a: '0123456789' },
  manifests: { m: { config: 'a', layers: ['a'] } },
  tags: { list: 'm', x: 'm' },
}
const keywordNames = ['library/manifests', 'a/tags/list', 'a/blobs/uploads', 'a/manifests/b', 'v2/v2', 'tags/list']
const content = makeContent(Object.fromEntries(keywordNames.map((name) => [name, image])))
const m = content.digest('a/tags/list', 'm')
const a = content.digest('a/tags/list', 'a')
const hex = 'a1'.repeat(32)

const berth = shareBerth(content)
const url = () => berth.url

const refused = (code: NonNullable<Row['code']>, status: number, what: string, path: string): Row => ({
  name: `${what}: ${status} ${code}`,
  path,
  status,
  code,
  want: { 'docker-distribution-api-version': 'registry/2.0' },
})

describe('malformed', () => {
  afterAll(() => expect(berth.upstream.requests).toEqual([]))
  testApi(url, [
    refused('NAME_INVALID', 400, 'a name in upper case (case 64)', '/v2/library/Node/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with ___ (case 64)', '/v2/library/no___de/manifests/20'),
    refused('NAME_INVALID', 400, 'a name of 300 characters (case 64)', `/v2/${'a'.repeat(300)}/manifests/20`),
    refused('NAME_INVALID', 400, 'a name that climbs', '/v2/library/../../etc/manifests/20'),
    refused('NAME_INVALID', 400, 'a name that climbs, percent-encoded', '/v2/library/%2e%2e/etc/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with an empty component', '/v2/library//node/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with a blank', '/v2/library/no%20de/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with a byte 0', '/v2/library/node%00/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with a line break', '/v2/library/node%0a/manifests/20'),
    refused('NAME_INVALID', 400, 'a name with a query in it', '/v2/library/node%3Fx/manifests/20'),
    refused('NAME_INVALID', 400, 'a percent sign alone', '/v2/library/node%/manifests/20'),
    refused('NAME_INVALID', 400, 'no hex behind a percent sign', '/v2/library/%zz/manifests/20'),
    refused('NAME_INVALID', 400, 'percent-encoding that is no UTF-8', '/v2/library/%ff%fe/manifests/20'),
    refused('TAG_INVALID', 400, 'a tag with a dot in front', '/v2/library/node/manifests/.20'),
    refused('TAG_INVALID', 400, 'a tag of 129 characters', `/v2/library/node/manifests/${'a'.repeat(129)}`),
    refused('TAG_INVALID', 400, 'a tag with a plus', '/v2/library/node/manifests/1+2'),
    refused('TAG_INVALID', 400, 'no tag at all', '/v2/library/node/manifests/'),
    refused(
      'DIGEST_INVALID',
      400,
      'a manifest digest that is too short',
      '/v2/library/node/manifests/sha256:baddigeststring',
    ),
    refused(
      'DIGEST_INVALID',
      400,
      'a manifest digest of an unknown algorithm (case 56)',
      `/v2/library/node/manifests/md5:${hex}`,
    ),
    refused('DIGEST_INVALID', 400, 'a blob digest in upper case', `/v2/library/node/blobs/sha256:${hex.toUpperCase()}`),
    refused(
      'DIGEST_INVALID',
      400,
      'a blob digest of an unknown algorithm (case 56)',
      `/v2/library/node/blobs/blake3:${hex}`,
    ),
    refused('DIGEST_INVALID', 400, 'a sha512 digest of 64 digits (case 56)', `/v2/library/node/blobs/sha512:${hex}`),
    refused(
      'DIGEST_INVALID',
      400,
      'a blob digest mangled by a proxy (case 32)',
      `/v2/library/node/blobs/sha256-${hex}`,
    ),
    refused('DIGEST_INVALID', 400, 'a blob by tag', '/v2/library/node/blobs/20'),
    refused('DIGEST_INVALID', 400, 'no blob at all', '/v2/library/node/blobs/'),
    refused('DIGEST_INVALID', 400, 'referrers of a bad digest', '/v2/library/node/referrers/sha256:abc'),
  ])
})

describe('unknown', () => {
  testApi(url, [
    refused('NAME_UNKNOWN', 404, 'an endpoint that is none', '/v2/library/node/nothing/20'),
    refused('NAME_UNKNOWN', 404, 'a repository alone', '/v2/library/node'),
    refused('NAME_UNKNOWN', 404, 'a keyword without a name', '/v2/manifests/20'),
    refused('NAME_UNKNOWN', 404, 'a slash too many', '/v2//'),
    refused('NAME_UNKNOWN', 404, 'tags/list with something behind', '/v2/library/node/tags/list/more'),
    refused('NAME_UNKNOWN', 404, 'tags without list', '/v2/library/node/tags/all'),
    refused('NAME_UNKNOWN', 404, 'an extension', '/v2/_oci/ext/discover'),
    ...[
      '/v1/_ping',
      '/v1/search?q=node',
      '/v3/',
      '/nothing',
      '/v22/',
      '/.env',
      '/index.php',
      '/metrics/more',
      '/%zz',
    ].map((path) => refused('NAME_UNKNOWN', 404, `${path}, which is no path of ours`, path)),
    { ...refused('NAME_UNKNOWN', 404, 'a POST to no path of ours', '/nothing'), method: 'POST' },
  ])
})

describe('words of the API in names are split at the last of them (case 64: distribution #2771)', () => {
  testApi(
    url,
    [
      ['library/manifests, tag list', '/v2/manifests/manifests/list', m],
      ['a/tags/list, tag x', '/v2/a/tags/list/manifests/x', m],
      ['a/tags/list, tag list', '/v2/a/tags/list/manifests/list', m],
      ['a/blobs/uploads, tag x', '/v2/a/blobs/uploads/manifests/x', m],
      ['a/manifests/b, by digest', `/v2/a/manifests/b/manifests/${m}`, m],
      ['a/manifests/b, blob', `/v2/a/manifests/b/blobs/${a}`, a],
      ['v2/v2, tag x', '/v2/v2/v2/manifests/x', m],
    ].map(([name, path, digest]) => ({
      name: `${name}: 200`,
      path: path!,
      status: 200,
      want: { 'docker-content-digest': digest! },
    })),
  )
  testApi(url, [
    {
      name: 'a/tags/list, its tags: 200',
      path: '/v2/a/tags/list/tags/list',
      status: 200,
      body: { name: 'a/tags/list', tags: ['list', 'x'] },
    },
    {
      name: 'a/blobs/uploads, its tags: 200',
      path: '/v2/a/blobs/uploads/tags/list',
      status: 200,
      body: { name: 'a/blobs/uploads', tags: ['list', 'x'] },
    },
  ])
})

describe('requests that are hardly HTTP', () => {
  /** Sends bytes as they are and reads what comes until the connection ends. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(bytes)
    return text(socket)
  }
  const close = 'Connection: close\r\n\r\n'

  it('headers of 64 KiB are refused with 431', async () => {
    const answer = await fetchRaw(`${berth.url}/v2/`, { headers: { 'x-large': 'x'.repeat(64 * 1024) } })
    expect([answer.status, answer.headers.connection]).toEqual([431, 'close'])
    expect(answer.json()).toEqual({
      errors: [{ code: 'SIZE_INVALID', message: 'the path and the headers of a request must have at most 16 KiB' }],
    })
  })

  it('a path of 64 KiB is refused with 431', async () => {
    expect((await fetchRaw(`${berth.url}/v2/${'a/'.repeat(32 * 1024)}manifests/20`)).status).toBe(431)
  })

  it('headers of 12 KiB, such as a long token, are taken', async () => {
    const headers = { authorization: `Bearer ${'x'.repeat(12 * 1024)}` }
    expect((await fetchRaw(`${berth.url}/v2/`, { headers })).status).toBe(200)
  })

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['TLS, spoken to a plain port (crane tries both)', '\x16\x03\x01\x02\0\x01', 400],
    ['a method that is none', `FETCH /v2/ HTTP/1.1\r\nHost: x\r\n${close}`, 400],
    ['TRACE', `TRACE /v2/ HTTP/1.1\r\nHost: x\r\n${close}`, 405],
    ['a GET with a body', `GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${close}hello`, 200],
    ['no Host', `GET /v2/ HTTP/1.1\r\n${close}`, 400],
    ['two lengths', `POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${close}`, 400],
    ['a Host that is none', `GET /v2/ HTTP/1.1\r\nHost: a b[\r\n${close}`, 400],
    ['the full URL (a proxy in front may send it)', `GET http://x/v2/ HTTP/1.1\r\nHost: x\r\n${close}`, 200],
    ['HTTP/1.0', `GET /v2/ HTTP/1.0\r\n\r\n`, 200],
    ['a path of *', `OPTIONS * HTTP/1.1\r\nHost: x\r\n${close}`, 400],
  ])('%s is answered, and the server lives', async (_, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect((await fetchRaw(`${berth.url}/v2/`)).status).toBe(200)
  })

  it('what cannot be read is told so in JSON, also after another request over the same connection', async () => {
    const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 200 /)
    socket.write('hello\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 [^]*\r\n\r\n\{"errors":\[\{"code":"UNSUPPORTED",/)
  })

  it('a manifest by the full URL is that manifest', async () => {
    const path = `http://other.test/v2/a/tags/list/manifests/x`
    expect((await fetchRaw(berth.url, { path })).headers['docker-content-digest']).toBe(m)
  })
})

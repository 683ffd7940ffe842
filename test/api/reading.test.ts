import { describe, expect, it } from 'vitest'
import { testApi } from '../helpers/api-table.ts'
import { makeContent } from '../helpers/content.ts'
import { fetchRaw } from '../helpers/http.ts'
import { mediaTypes } from '../helpers/manifest-spec.ts'
import { shareBerth } from '../helpers/shared-berth.ts'

// One row per line of the specification's table of endpoints that concerns reading. Each GET is tried as HEAD as well.

const content = makeContent({
  'library/node': {
    blobs: { a: '0123456789', config: '{}', empty: '' },
    manifests: {
      amd: { config: 'config', layers: ['a'] },
      arm: { mediaType: mediaTypes.dockerManifest, config: 'config', layers: ['a', 'empty'] },
      list: { mediaType: mediaTypes.dockerList, manifests: ['arm'] },
      index: { manifests: ['amd', 'arm'] },
      plain: { config: 'config', layers: ['a'], withoutMediaType: true },
    },
    tags: { 20: 'amd', docker: 'arm', multi: 'index', list: 'list', plain: 'plain' },
  },
})
const node = content.in('library/node')
const of = (name: string) => node.digest(name)
const absent = `sha256:${'0'.repeat(64)}`
const v2 = { 'docker-distribution-api-version': 'registry/2.0' }
const noType = { 'content-encoding': undefined, 'transfer-encoding': undefined }

const berth = shareBerth(content)
const url = () => berth.url

const manifestHeaders = (name: string, type: string) => ({
  ...v2,
  ...noType,
  'content-type': type,
  'content-length': String(node.size(name)),
  'docker-content-digest': of(name),
  etag: `"${of(name)}"`,
})
const blobHeaders = (name: string) => ({
  ...v2,
  ...noType,
  'content-type': 'application/octet-stream',
  'content-length': String(node.size(name)),
  'docker-content-digest': of(name),
  'accept-ranges': 'bytes',
  etag: `"${of(name)}"`,
})
const manifests = '/v2/library/node/manifests'
const blobs = '/v2/library/node/blobs'

describe('end-1', () => {
  testApi(url, [
    {
      name: 'end-1 GET /v2/: 200 {}',
      path: '/v2/',
      status: 200,
      want: { ...v2, 'content-type': 'application/json', 'www-authenticate': undefined },
      body: {},
    },
    { name: 'end-1 GET /v2 without the slash: the same', path: '/v2', status: 200, want: v2, body: {} },
    { name: 'end-1 GET /v2/?ns=: the same', path: '/v2/?ns=docker.io', status: 200, want: v2, body: {} },
    {
      name: 'end-1 GET /<prefix>/v2/: the same (dockerd, a mirror with a path)',
      path: '/hub/v2/',
      status: 200,
      body: {},
    },
    {
      name: 'end-1 with credentials nobody asked for: the same (podman after logout sends Og==)',
      path: '/v2/',
      headers: { authorization: 'Basic Og==' },
      status: 200,
      body: {},
    },
  ])
})

describe('end-2', () => {
  testApi(url, [
    {
      name: 'end-2 GET blob: 200',
      path: `${blobs}/${of('a')}`,
      status: 200,
      want: blobHeaders('a'),
      body: '0123456789',
    },
    {
      name: 'end-2 GET blob of no bytes: 200, Content-Length 0 (case 54)',
      path: `${blobs}/${of('empty')}`,
      status: 200,
      want: blobHeaders('empty'),
      body: '',
    },
    {
      name: 'end-2 GET blob with its colon percent-encoded: 200',
      path: `${blobs}/${of('a').replace(':', '%3A')}`,
      status: 200,
      want: blobHeaders('a'),
      body: '0123456789',
    },
    {
      name: 'end-2 GET blob that accepts gzip: 200, as it is',
      path: `${blobs}/${of('a')}`,
      headers: { 'accept-encoding': 'zstd;q=1.0, gzip;q=0.8, deflate;q=0.5' },
      status: 200,
      want: blobHeaders('a'),
      body: '0123456789',
    },
    {
      name: 'end-2 GET blob that the client has: 304',
      path: `${blobs}/${of('a')}`,
      headers: { 'if-none-match': `"${of('a')}"` },
      status: 304,
      want: { etag: `"${of('a')}"`, 'docker-content-digest': of('a') },
      body: '',
    },
    {
      name: 'end-2 GET blob that the client has in another state: 200',
      path: `${blobs}/${of('a')}`,
      headers: { 'if-none-match': `"${absent}"` },
      status: 200,
      body: '0123456789',
    },
    {
      name: 'end-2 GET blob: 404 BLOB_UNKNOWN',
      path: `${blobs}/${absent}`,
      status: 404,
      want: v2,
      code: 'BLOB_UNKNOWN',
    },
    {
      name: 'end-2 GET blob by sha512 that is not there: 404 BLOB_UNKNOWN (case 56)',
      path: `${blobs}/sha512:${'0'.repeat(128)}`,
      status: 404,
      code: 'BLOB_UNKNOWN',
    },
    {
      name: 'end-2 GET blob of a repository that is not there: 404 BLOB_UNKNOWN',
      path: `/v2/library/none/blobs/${of('a')}`,
      status: 404,
      code: 'BLOB_UNKNOWN',
    },
  ])
})

describe('end-3', () => {
  testApi(url, [
    {
      name: 'end-3 GET manifest by tag: 200',
      path: `${manifests}/20`,
      status: 200,
      want: manifestHeaders('amd', mediaTypes.ociManifest),
      body: node.bytes('amd'),
    },
    {
      name: 'end-3 GET manifest by digest: 200',
      path: `${manifests}/${of('amd')}`,
      status: 200,
      want: manifestHeaders('amd', mediaTypes.ociManifest),
      body: node.bytes('amd'),
    },
    {
      name: 'end-3 GET Docker manifest: 200, byte for byte (case 30)',
      path: `${manifests}/docker`,
      status: 200,
      want: manifestHeaders('arm', mediaTypes.dockerManifest),
      body: node.bytes('arm'),
    },
    {
      name: 'end-3 GET index: 200 with its own type (case 28)',
      path: `${manifests}/multi`,
      status: 200,
      want: manifestHeaders('index', mediaTypes.ociIndex),
      body: node.bytes('index'),
    },
    {
      name: 'end-3 GET Docker list: 200 with its own type (case 28)',
      path: `${manifests}/list`,
      status: 200,
      want: manifestHeaders('list', mediaTypes.dockerList),
      body: node.bytes('list'),
    },
    {
      name: 'end-3 GET manifest that does not say its type: 200 with the one it came with',
      path: `${manifests}/plain`,
      status: 200,
      want: manifestHeaders('plain', mediaTypes.ociManifest),
      body: node.bytes('plain'),
    },
    {
      name: 'end-3 GET manifest that the client has: 304',
      path: `${manifests}/20`,
      headers: { 'if-none-match': `"${of('amd')}"` },
      status: 304,
      want: { etag: `"${of('amd')}"`, 'docker-content-digest': of('amd') },
      body: '',
    },
    {
      name: 'end-3 GET manifest that the client has, its digest bare (as distribution takes it): 304',
      path: `${manifests}/20`,
      headers: { 'if-none-match': of('amd') },
      status: 304,
      body: '',
    },
    {
      name: 'end-3 GET manifest that the client has among others, weakly: 304',
      path: `${manifests}/20`,
      headers: { 'if-none-match': `"x", W/"${of('amd')}"` },
      status: 304,
      body: '',
    },
    {
      name: 'end-3 GET manifest that the client has in another state: 200',
      path: `${manifests}/20`,
      headers: { 'if-none-match': `"${absent}"` },
      status: 200,
      body: node.bytes('amd'),
    },
    {
      name: 'end-3 GET manifest with a Range: 200, whole (manifests are not ranged)',
      path: `${manifests}/20`,
      headers: { range: 'bytes=0-1' },
      status: 200,
      body: node.bytes('amd'),
    },
    {
      name: 'end-3 GET manifest by tag: 404 MANIFEST_UNKNOWN',
      path: `${manifests}/none`,
      status: 404,
      want: v2,
      code: 'MANIFEST_UNKNOWN',
    },
    {
      name: 'end-3 GET manifest by digest: 404 MANIFEST_UNKNOWN',
      path: `${manifests}/${absent}`,
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    },
    {
      name: 'end-3 GET manifest of a repository that is not there: 404 MANIFEST_UNKNOWN (case 37)',
      path: '/v2/library/none/manifests/20',
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    },
  ])

  // skopeo, dockerd and crane write Accept in three ways; cases 29 (harbor #16075, spinifex PR #399).
  it.each<[string, string | string[] | undefined]>([
    ['none', undefined],
    ['*/*', '*/*'],
    ['one list', `${mediaTypes.dockerManifest}, ${mediaTypes.ociManifest}, ${mediaTypes.ociIndex}`],
    [
      'a line per type',
      [mediaTypes.ociManifest, mediaTypes.dockerManifest, mediaTypes.dockerList, mediaTypes.ociIndex],
    ],
    ['only other types', mediaTypes.dockerList],
    ['schema 1 first', `application/vnd.docker.distribution.manifest.v1+json, ${mediaTypes.ociIndex}`],
    ['no grammar', ';;q=,,'],
  ])('end-3 GET manifest with Accept of %s: the stored bytes and type (case 29)', async (_, accept) => {
    for (const method of ['GET', 'HEAD']) {
      const headers = accept === undefined ? {} : { accept }
      const answer = await fetchRaw(`${url()}${manifests}/multi`, { method, headers })
      expect([answer.status, answer.headers['content-type']]).toEqual([200, mediaTypes.ociIndex])
      expect(answer.headers['docker-content-digest']).toBe(of('index'))
    }
  })
})

describe('what is no reading', () => {
  const closing = { ...v2, connection: 'close' }
  testApi(url, [
    ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
      name: `${method} /v2/: 405 UNSUPPORTED with Allow`,
      method,
      path: '/v2/',
      status: 405,
      want: { ...closing, allow: 'GET, HEAD' },
      code: 'UNSUPPORTED' as const,
    })),
    {
      name: 'end-4a POST uploads of an upstream repository: 403 DENIED, with what to do',
      method: 'POST',
      path: `${blobs}/uploads/`,
      status: 403,
      want: closing,
      code: 'DENIED',
    },
    {
      name: 'end-7 PUT manifest: 403 DENIED',
      method: 'PUT',
      path: `${manifests}/20`,
      status: 403,
      want: closing,
      code: 'DENIED',
    },
    {
      name: 'end-9 DELETE manifest: 403 DENIED',
      method: 'DELETE',
      path: `${manifests}/20`,
      status: 403,
      code: 'DENIED',
    },
    {
      name: 'end-10 DELETE blob: 403 DENIED',
      method: 'DELETE',
      path: `${blobs}/${of('a')}`,
      status: 403,
      code: 'DENIED',
    },
    {
      name: 'end-8a POST tags: 403 DENIED',
      method: 'POST',
      path: '/v2/library/node/tags/list',
      status: 403,
      code: 'DENIED',
    },
    {
      name: 'OPTIONS of a manifest: 405 UNSUPPORTED, not a push that is denied',
      method: 'OPTIONS',
      path: `${manifests}/20`,
      status: 405,
      code: 'UNSUPPORTED',
    },
  ])
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const known = `sha256:${'a1'.repeat(32)}`
const piece = fc.oneof(
  fc.constantFrom(
    'v2',
    'manifests',
    'blobs',
    'tags',
    'list',
    'referrers',
    'uploads',
    '_catalog',
    'org',
    'app',
    '20',
    known,
  ),
  fc.constantFrom(
    'docker.io',
    'quay.io',
    'x.test',
    '..',
    '.',
    '',
    '%2e%2e',
    '%00',
    '%',
    '%C3%BC',
    '*',
    'sha512:00',
    'A',
    '@',
    '\\',
  ),
  fc.stringMatching(/^[!-~]{0,12}$/),
)
const path = fc
  .tuple(fc.boolean(), fc.array(piece, { maxLength: 7 }))
  .map(([api, pieces]) => `/${[...(api ? ['v2'] : []), ...pieces].join('/')}`)
  .map((text) => text.replace(/[\s#]/g, ''))
const query = fc.dictionary(
  fc.constantFrom('ns', 'n', 'last', 'artifactType', 'digest', 'mount', 'from'),
  fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('docker.io', '5', known)),
)
const header = fc.stringMatching(/^[ -~]{0,30}$/).map((text) => text.trim())
const headers = fc.record(
  {
    range: fc.oneof(
      header,
      header.map((text) => `bytes=${text}`),
      fc.constantFrom('bytes=0-1', 'bytes=-1,0-'),
    ),
    accept: header,
    authorization: fc.oneof(header, fc.constantFrom('Basic Og==', 'Basic ???', 'Bearer x', 'Basic')),
    'if-none-match': fc.oneof(header, fc.constantFrom('*', `"${known}"`, known)),
    'if-range': header,
    'x-forwarded-proto': header,
    'x-forwarded-host': header,
  },
  { requiredKeys: [] },
)
const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')

it('any request is answered without a fault of ours, and every error is JSON of the right length', async () => {
  const image = { blobs: { a: '0123456789' }, manifests: { m: { layers: ['a'] } }, tags: { 20: 'm' } }
  const upstream = await startUpstream({ content: { 'org/app': image } })
  const berth = await startBerth({
    upstreams: [
      { name: 'docker.io', url: upstream.url },
      { name: 'quay.io', url: upstream.url },
    ],
  })
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, async (method, path, query, headers) => {
      const search = Object.keys(query).length === 0 ? '' : `?${new URLSearchParams(query).toString()}`
      const answer = await fetchRaw(berth.url, { method, path: path + search, headers })
      expect(answer.status).toBeLessThan(500)
      expect(answer.complete).toBe(true)
      // Errors of pages are for people.
      if (answer.headers['content-type']?.startsWith('text/') && !path.includes('/v2')) return
      // What is hardly HTTP is refused before it comes to us.
      if (answer.status < 400 || method === 'HEAD' || answer.headers['content-type'] === undefined) return
      expect(answer.headers['content-length']).toBe(String(answer.raw.length))
      expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(/^[A-Z_]+$/) as string }] })
    }),
    { numRuns: 500 },
  )
  for (const { url } of upstream.received) expect(url).toMatch(/^\/v2\/([a-z0-9]+[._/-]*)+[/:a-zA-Z0-9._?=-]*$/)
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testApi } from '../helpers/api-table.ts'
import { orasArtifact } from '../helpers/artifacts.ts'
import { makeContent } from '../helpers/content.ts'
import { fetchRaw } from '../helpers/http.ts'
import { mediaTypes } from '../helpers/manifest-spec.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

// Tags, referrers and the catalog. Tags are the upstream's, not only those cached here (case 47: harbor #15513, zot #4081).

const artifact = orasArtifact()
const image = { blobs: { a: '0' }, manifests: { m: { config: 'a', layers: ['a'] } } }
const many = Array.from({ length: 250 }, (_, i) => `v${i}`)
const content = makeContent({
  'library/node': { ...image, tags: { b: 'm', a: 'm', 'a-1': 'm', B: 'm', 10: 'm', 9: 'm', _: 'm' } },
  'library/many': { ...image, tags: Object.fromEntries(many.map((tag) => [tag, 'm'])) },
  'library/none': image,
  'library/art': artifact,
})
const ordered = ['10', '9', 'B', '_', 'a', 'a-1', 'b']
const art = (name: string) => content.digest('library/art', name)
const absent = `sha256:${'0'.repeat(64)}`

let upstream: Upstream
let berth: RunningBerth
beforeAll(async () => {
  upstream = await startUpstream({ content })
  berth = await startBerth({
    upstreams: [
      { name: 'docker.io', url: upstream.url, virtualHosts: ['hub.test'] },
      { name: 'q.test', url: upstream.url },
    ],
  })
})
afterAll(async () => {
  await berth.stop()
  await upstream.stop()
})
const url = () => berth.url
const tags = '/v2/library/node/tags/list'
const list = (path: string, tags: string[], link?: string) => ({
  path,
  status: 200,
  want: { 'content-type': 'application/json', link },
  body: { name: 'library/node', tags },
})

describe('end-8a, end-8b', () => {
  testApi(url, [
    { name: 'end-8a GET tags: 200, all of the upstream, in ASCII order', ...list(tags, ordered) },
    {
      name: 'end-8b GET tags, n: as many and a relative Link',
      ...list(`${tags}?n=3`, ordered.slice(0, 3), `<${tags}?n=3&last=B>; rel="next"`),
    },
    {
      name: 'end-8b GET tags, n and last: those behind it',
      ...list(`${tags}?n=2&last=B`, ['_', 'a'], `<${tags}?n=2&last=a>; rel="next"`),
    },
    {
      name: 'end-8b GET tags, the last page: no Link (case 60: the first page must not come again)',
      ...list(`${tags}?n=3&last=a`, ['a-1', 'b']),
    },
    { name: 'end-8b GET tags, just as many as there are: no Link', ...list(`${tags}?n=7`, ordered) },
    { name: 'end-8b GET tags, last without n', ...list(`${tags}?last=a`, ['a-1', 'b']) },
    { name: 'end-8b GET tags, last that is no tag here', ...list(`${tags}?last=a0`, ['b']) },
    { name: 'end-8b GET tags, last behind all', ...list(`${tags}?last=zzz`, []) },
    { name: 'end-8b GET tags, n=0: none, no Link', ...list(`${tags}?n=0`, []) },
    {
      name: 'end-8b GET tags, n very large: all, at no cost (case 60: CVE-2023-2253)',
      ...list(`${tags}?n=2147483647`, ordered),
    },
    { name: 'end-8b GET tags, n beyond numbers', ...list(`${tags}?n=${'9'.repeat(400)}`, ordered) },
    ...['-1', 'abc', '1.5', '', '0x10', '1e3', '%20'].map((n) => ({
      name: `end-8b GET tags, n=${n}: 400 (case 60)`,
      path: `${tags}?n=${n}`,
      status: 400,
      code: 'PAGINATION_NUMBER_INVALID' as const,
    })),
    {
      name: 'end-8a GET tags of a repository without any: [], not null',
      path: '/v2/library/none/tags/list',
      status: 200,
      body: { name: 'library/none', tags: [] },
    },
    {
      name: 'end-8a GET tags of a repository that is not there: 404',
      path: '/v2/library/missing/tags/list',
      status: 404,
      code: 'NAME_UNKNOWN',
    },
    {
      name: 'end-8b GET tags, by ns: the Link keeps it',
      path: `${tags}?ns=q.test&n=1`,
      status: 200,
      want: { link: `<${tags}?ns=q.test&n=1&last=10>; rel="next"`, 'oci-namespace': 'q.test' },
    },
    {
      name: 'end-8b GET tags, by a name with the upstream in it: name and Link as the client wrote them',
      path: '/v2/q.test/library/node/tags/list?n=1',
      status: 200,
      want: { link: '</v2/q.test/library/node/tags/list?n=1&last=10>; rel="next"' },
      body: { name: 'q.test/library/node', tags: ['10'] },
    },
    {
      name: 'end-8b GET tags, by a prefix: the Link keeps it',
      path: '/q.test/v2/library/node/tags/list?n=1',
      status: 200,
      want: { link: '</q.test/v2/library/node/tags/list?n=1&last=10>; rel="next"' },
      body: { name: 'library/node', tags: ['10'] },
    },
    {
      name: 'end-8b GET tags, by a virtual host: a relative Link, never to the upstream',
      path: `${tags}?n=1`,
      headers: { host: 'hub.test' },
      status: 200,
      want: { link: `<${tags}?n=1&last=10>; rel="next"` },
    },
    {
      name: 'end-8a GET tags of a name that Docker Hub knows without library/ (case 36)',
      path: '/v2/node/tags/list?n=1',
      status: 200,
      body: { name: 'node', tags: ['10'] },
    },
  ])

  it('followed by Link gives every tag once (crane asks for 1000 at a time, others for 100)', async () => {
    const seen: string[] = []
    let path: string | undefined = '/v2/library/many/tags/list?n=100'
    while (path) {
      const answer = await fetchRaw(url() + path)
      seen.push(...(answer.json() as { tags: string[] }).tags)
      path = /^<(.*)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
    }
    expect(seen).toEqual([...many].sort())
  })
})

describe('end-12a, end-12b', () => {
  const index = (manifests: object[]) => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
  const referrer = (name: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: art(name),
    size: content.size('library/art', name),
    artifactType: `application/vnd.example.${name}`,
    annotations: { 'org.opencontainers.image.created': '2030-01-01T00:00:00Z' },
  })
  const path = `/v2/library/art/referrers/${art('artifact')}`
  const ociIndex = { 'content-type': mediaTypes.ociIndex }
  testApi(url, [
    {
      name: 'end-12a GET referrers: 200, an index (case 48: harbor #20808)',
      path,
      status: 200,
      want: { ...ociIndex, 'oci-filters-applied': undefined },
      body: index([referrer('signature'), referrer('sbom')]),
    },
    {
      name: 'end-12b GET referrers of a type: 200, those, and the filter named',
      path: `${path}?artifactType=application/vnd.example.sbom`,
      status: 200,
      want: { ...ociIndex, 'oci-filters-applied': 'artifactType' },
      body: index([referrer('sbom')]),
    },
    {
      name: 'end-12b GET referrers of a type that none has: 200, none',
      path: `${path}?artifactType=application/none`,
      status: 200,
      want: { 'oci-filters-applied': 'artifactType' },
      body: index([]),
    },
    {
      name: 'end-12b GET referrers of an empty type: 200, all, no filter (case 48)',
      path: `${path}?artifactType=`,
      status: 200,
      want: { 'oci-filters-applied': undefined },
      body: index([referrer('signature'), referrer('sbom')]),
    },
    {
      name: 'end-12a GET referrers of a digest nobody knows: 200, none (oras asks for sha256:000...)',
      path: `/v2/library/art/referrers/${absent}`,
      status: 200,
      want: ociIndex,
      body: index([]),
    },
    {
      name: 'end-12a GET referrers in a repository nobody knows: 200, none',
      path: `/v2/library/missing/referrers/${absent}`,
      status: 200,
      want: ociIndex,
      body: index([]),
    },
  ])
})

describe('the catalog', () => {
  testApi(
    url,
    ['', '?n=10', '?n=2147483647', '?n=0', '?n=1&last=a'].map((query) => ({
      name: `GET /v2/_catalog${query}: 200 and small, whatever n is (case 60: CVE-2023-2253)`,
      path: `/v2/_catalog${query}`,
      status: 200,
      want: { link: undefined },
      body: { repositories: [] },
    })),
  )
  testApi(
    url,
    ['-1', 'abc', '1e3'].map((n) => ({
      name: `GET /v2/_catalog?n=${n}: 400 (case 60)`,
      path: `/v2/_catalog?n=${n}`,
      status: 400,
      code: 'PAGINATION_NUMBER_INVALID',
    })),
  )
})

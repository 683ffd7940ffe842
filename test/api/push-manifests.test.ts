import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw } from '../helpers/http.ts'
import { descriptor, imageOf, ociIndex, Pusher, sha256, sha512, startHosting } from '../helpers/push.ts'

async function start(settings = {}) {
  const berth = await startHosting(settings)
  const pusher = new Pusher(berth.url)
  for (const bytes of ['{}', 'layer']) await pusher.blob(bytes)
  return { ...berth, pusher }
}

const image = JSON.stringify(imageOf('{}', 'layer'))

describe('a manifest', () => {
  it('end-7a PUT by tag: 201, and comes back byte for byte', async () => {
    const { pusher } = await start()
    const odd = image.replace(',', ' ,\n\t')
    const put = await pusher.manifest('1', odd)
    expect([put.status, put.headers.location]).toEqual([201, `/v2/team/app/manifests/${sha256(odd)}`])
    for (const reference of ['1', sha256(odd)]) {
      const got = await pusher.send('GET', `manifests/${reference}`)
      expect([got.status, got.text()]).toEqual([200, odd])
      expect(got.headers['docker-content-digest']).toBe(sha256(odd))
    }
  })

  it('end-7b PUT by sha512 and with ?tag= is there under all of them (case 56)', async () => {
    const { pusher } = await start()
    const put = await pusher.manifest(`${sha512(image)}?tag=a&tag=b`, image)
    expect([put.status, put.headers['oci-tag']]).toEqual([201, 'a, b'])
    for (const reference of [sha512(image), 'a', 'b']) expect(await pusher.status(`manifests/${reference}`)).toBe(200)
    expect((await pusher.manifest(`x${'?tag=a'}${'&tag=b'.repeat(200)}`, image)).status).toBe(414)
  })

  it.each([
    ['whose digest is another', sha256('x'), image, 'DIGEST_INVALID', 400],
    ['that is no JSON', '1', 'nothing', 'MANIFEST_INVALID', 400],
    ['that is a list', '1', '[]', 'MANIFEST_INVALID', 400],
    ['with a negative size', '1', image.replace('"size":2', '"size":-2'), 'MANIFEST_INVALID', 400],
    ['with a wrong size', '1', image.replace('"size":2', '"size":3'), 'MANIFEST_INVALID', 400],
    ['of schema 1', '1', '{"schemaVersion":1}', 'MANIFEST_INVALID', 400],
    ['naming a blob that is not there', '1', JSON.stringify(imageOf('{}', 'none')), 'MANIFEST_BLOB_UNKNOWN', 400],
    ['over 4 MiB (case 55)', '1', `{"x":"${'x'.repeat(4 * 1024 * 1024)}"}`, 'SIZE_INVALID', 413],
    ['under a tag that is none', '-1', image, 'TAG_INVALID', 400],
  ] as const)('%s is refused, and nothing is kept', async (_, reference, body, code, status) => {
    const { pusher } = await start()
    const put = await pusher.manifest(reference, body)
    expect(put.status).toBe(status)
    expectError(put, code)
    expect(await pusher.status('manifests/1')).toBe(404)
  })

  it('of 60 MiB is refused before it is sent (case 55)', async () => {
    const { pusher } = await start()
    const headers = { 'content-length': 60 * 1024 * 1024, 'content-type': 'application/json', expect: '100-continue' }
    const refused = await pusher.send('PUT', 'manifests/1', { headers, body: new Readable({ read() {} }) })
    expect([refused.status, refused.headers.connection]).toEqual([413, 'close'])
    expectError(refused, 'SIZE_INVALID')
  })

  it('just under 4 MiB is taken and comes back (case 55)', async () => {
    const { pusher } = await start()
    const large = JSON.stringify({ ...imageOf('{}', 'layer'), annotations: { a: 'x'.repeat(4_190_000) } })
    expect((await pusher.manifest('large', large)).status).toBe(201)
    expect((await pusher.send('GET', 'manifests/large')).text()).toBe(large)
  })

  it('without a mediaType, of any config type, is what its Content-Type says (case 49: helm, wasm, oras)', async () => {
    const { pusher } = await start()
    const chart = JSON.stringify({ schemaVersion: 2, config: descriptor('{}', 'application/vnd.x+json'), layers: [] })
    expect((await pusher.manifest('1', chart)).status).toBe(201)
    const got = await pusher.send('GET', 'manifests/1')
    expect(got.headers['content-type']).toBe('application/vnd.oci.image.manifest.v1+json')
    expect(got.text()).toBe(chart)
  })

  it.each(['text/html', 'application/xhtml+xml', 'image/svg+xml', 'text/xml', 'application/octet-stream'])(
    'as %s is refused: served as that, a browser would run what is in it as ours',
    async (type) => {
      const { pusher } = await start()
      const { mediaType: _, ...page } = { ...imageOf('{}'), annotations: { a: '<script>alert(1)</script>' } }
      expectError(await pusher.manifest('page', page, type), 'MANIFEST_INVALID')
      expectError(await pusher.manifest('page', { ...page, mediaType: type }, ''), 'MANIFEST_INVALID')
      expect(await pusher.status('manifests/page')).toBe(404)
    },
  )

  it('of a hundred thousand levels is refused where they would have to be written out again', async () => {
    const { pusher } = await start()
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const nested = JSON.stringify({ ...descriptor('layer'), annotations: 'DEEP' }).replace('"DEEP"', deep)
    for (const field of [`"config":${deep}`, `"layers":[${deep}]`, `"layers":[${nested}]`, `"subject":${nested}`]) {
      expectError(await pusher.manifest('deep', `{"schemaVersion":2,${field}}`), 'MANIFEST_INVALID')
    }
  })

  it('that is an index may list blobs, as the cache of BuildKit does (case 50)', async () => {
    const { pusher } = await start()
    const cache = { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor('layer'), descriptor('{}')] }
    expect((await pusher.manifest('cache', cache, ociIndex)).status).toBe(201)
    const missing = { ...cache, manifests: [descriptor('none')] }
    expectError(await pusher.manifest('cache', missing, ociIndex), 'MANIFEST_BLOB_UNKNOWN')
  })

  it('may name foreign layers that nobody pushed (case 63)', async () => {
    const { pusher } = await start()
    const layer = {
      ...descriptor('windows', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
      urls: ['http://127.0.0.1:1/layer'],
    }
    expect((await pusher.manifest('windows', { ...imageOf('{}'), layers: [layer] })).status).toBe(201)
  })
})

describe('what refers to a manifest', () => {
  it('is listed, also before the subject is there; it goes when it is deleted', async () => {
    const { pusher } = await start()
    const subject = descriptor(image, 'application/vnd.oci.image.manifest.v1+json')
    const signature = JSON.stringify({ ...imageOf('{}'), artifactType: 'application/x.signature', subject })
    const put = await pusher.manifest(sha256(signature), signature)
    expect([put.status, put.headers['oci-subject']]).toEqual([201, subject.digest])
    const referrers = async (query = '') => {
      const answer = await pusher.send('GET', `referrers/${subject.digest}${query}`)
      return (answer.json() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest)
    }
    expect(await referrers()).toEqual([sha256(signature)])
    expect(await referrers('?artifactType=application/x.signature')).toEqual([sha256(signature)])
    expect(await referrers('?artifactType=application/x.sbom')).toEqual([])
    expect((await pusher.send('DELETE', `manifests/${sha256(signature)}`)).status).toBe(202)
    expect(await referrers()).toEqual([])
  })

  it('is kept in step in a fallback tag that a client has made', async () => {
    const { pusher } = await start()
    await pusher.manifest('1', image)
    const tag = sha256(image).replace(':', '-')
    await pusher.manifest(tag, { schemaVersion: 2, mediaType: ociIndex, manifests: [] }, ociIndex)
    const subject = descriptor(image, 'application/vnd.oci.image.manifest.v1+json')
    const signature = JSON.stringify({ ...imageOf('{}'), subject })
    await pusher.manifest(sha256(signature), signature)
    expect((await pusher.send('GET', `manifests/${tag}`)).text()).toContain(sha256(signature))
  })
})

describe('deleting', () => {
  it('end-9 a tag leaves the manifest, a digest takes its tags', async () => {
    const { pusher } = await start()
    for (const tag of ['1', '2']) await pusher.manifest(tag, image)
    expect((await pusher.send('DELETE', 'manifests/1')).status).toBe(202)
    expect((await pusher.send('DELETE', 'manifests/1')).status).toBe(404)
    expect(await pusher.status('manifests/2')).toBe(200)
    expect((await pusher.send('DELETE', `manifests/${sha256(image)}`)).status).toBe(202)
    expect(await pusher.status('manifests/2')).toBe(404)
    expect((await pusher.send('GET', 'tags/list')).json()).toEqual({ name: 'team/app', tags: [] })
  })

  it('an immutable tag, or setting it to something else, is DENIED', async () => {
    const { pusher } = await start({ hosted: { namespaces: ['team'], immutableTags: ['team/*:v*'] } })
    expect((await pusher.manifest('v1', image)).status).toBe(201)
    expect((await pusher.manifest('v1', image)).status).toBe(201)
    for (const refused of [
      await pusher.manifest('v1', `${image} `),
      await pusher.send('DELETE', 'manifests/v1'),
      await pusher.send('DELETE', `manifests/${sha256(image)}`),
    ]) {
      expect(refused.status).toBe(403)
      expectError(refused, 'DENIED')
    }
    expect((await pusher.manifest('latest', `${image} `)).status).toBe(201)
  })
})

describe('lists', () => {
  it('of tags and of repositories come in pages, in order, without a Link at the end (case 60)', async () => {
    const { url, pusher } = await start()
    for (const tag of ['b', 'a', 'c']) await pusher.manifest(tag, image)
    for (const name of ['team/b', 'team/a']) await new Pusher(url, name).image('1', 'x')
    const pages = async (path: string, key: string) => {
      const seen: string[] = []
      for (let next: string | undefined = path; next !== undefined;) {
        const answer = await fetchRaw(url + next)
        seen.push(...(answer.json() as Record<string, string[]>)[key]!)
        next = /<([^>]+)>; rel="next"/.exec(String(answer.headers.link))?.[1]
      }
      return seen
    }
    for (const n of [1, 2, 3, 1000]) {
      expect(await pages(`/v2/team/app/tags/list?n=${n}`, 'tags')).toEqual(['a', 'b', 'c'])
      expect(await pages(`/v2/_catalog?n=${n}`, 'repositories')).toEqual(['team/a', 'team/app', 'team/b'])
    }
  })
})

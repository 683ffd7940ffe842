import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startScene } from '../helpers/pages.ts'
import { makeTar } from '../helpers/tar.ts'

const markup = '<script>alert(1)</script><img src=x onerror=alert(2)>'
const unseen = 'a\u0000b\u001b[31mc\u202ed\u2066e\u200bf'
const hostile = `"'>${markup}${unseen}`

const config = JSON.stringify({
  architecture: hostile,
  os: 'linux',
  created: hostile,
  config: {
    User: hostile,
    WorkingDir: hostile,
    Entrypoint: [hostile],
    Cmd: [hostile, 7, null],
    Env: [hostile, `X=${hostile}`],
    ExposedPorts: { [hostile]: {} },
    Volumes: { [hostile]: {} },
    Labels: { [hostile]: hostile, wrong: 7 },
  },
  history: [
    { created: hostile, created_by: hostile },
    // An expression that tries every blank as the first of its run would take hours.
    { created_by: `a${' '.repeat(1_000_000)}b`, empty_layer: true },
    null,
    { created_by: 7, empty_layer: true },
  ],
})

/** Packages, a builder and a source of such names, in a database of dpkg and in attestations. */
const layer = gzipSync(
  makeBytes(
    makeTar([{ path: 'var/lib/dpkg/status', content: `Package: ${hostile.replace('\0', '')}\nVersion: ${markup}\n` }]),
  ).read(),
)
const statements = {
  bill: JSON.stringify({
    predicateType: 'https://spdx.dev/Document',
    predicate: { spdxVersion: hostile, packages: [{ name: hostile, versionInfo: hostile }] },
  }),
  built: JSON.stringify({
    predicateType: 'https://slsa.dev/provenance/v0.2',
    predicate: { builder: { id: hostile }, materials: [{ uri: hostile, digest: { sha1: hostile } }] },
  }),
  third: JSON.stringify({ predicateType: hostile, subject: [{ digest: { [hostile]: hostile } }], predicate: hostile }),
}
const inToto = 'application/vnd.in-toto+json'
const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip'

const repository = {
  blobs: { config, layer, ...statements },
  manifests: {
    image: { config: 'config', layers: [{ of: 'layer', mediaType: gzip }] },
    attested: {
      config: 'config',
      layers: ['bill', 'built', 'third'].map((of) => ({ of, mediaType: inToto })),
      subject: 'index',
      artifactType: inToto,
    },
    index: {
      manifests: [{ of: 'image', platform: { os: hostile, architecture: hostile, variant: hostile } }],
      annotations: { 'org.opencontainers.image.description': hostile, [hostile]: hostile },
    },
    other: { config: 'config', layers: ['layer'], annotations: { [hostile]: hostile } },
    signature: { config: 'config', layers: [], subject: 'index', artifactType: `application/x.${markup}` },
    notJson: { raw: '{"schemaVersion": 2, "layers": "none", "config": {"digest": 7}}' },
  },
  tags: { 1: 'index', 2: 'other', 3: 'notJson' },
}

it('shows what comes from elsewhere as text, and what would not be seen as its number', async () => {
  const scene = await startScene()
  scene.upstream.push('org/app', repository)
  for (const tag of ['1', '2', '3']) await scene.pull('org/app', tag)
  for (const manifest of ['image', 'other']) await scene.pullAll('org/app', manifest)
  // So that what is attached, and the layers, have been read.
  const difference = `difference?name=docker.io/org/app&from=${scene.upstream.content.digest('org/app', 'index')}`
  const read = async () => {
    const to = scene.upstream.content.digest('org/app', 'other')
    const answer = await fetchRaw(`${scene.berth.url}/api/v1/${difference}&to=${to}`)
    return (answer.json() as { packages: { state: string } }).packages.state
  }
  await expect.poll(read, { timeout: 20_000 }).not.toBe('reading')
  const name = 'docker.io/org/app'
  const other = scene.upstream.content.digest('org/app', 'other')
  const addresses = [
    `/r/${name}`,
    `/r/${name}/t/1`,
    `/r/${name}/t/2`,
    `/r/${name}/t/3`,
    `/r/${name}/t/1?compare=${other}`,
    `/search?q=${encodeURIComponent(hostile)}`,
    `/r/${name}?q=${encodeURIComponent(hostile)}`,
    `/r/${encodeURIComponent(hostile)}`,
    `/r/${name}/t/${encodeURIComponent(hostile)}`,
    `/r/${name}/t/1?platform=${encodeURIComponent(hostile)}&done=${encodeURIComponent(hostile)}&amount=${encodeURIComponent(hostile)}`,
  ]
  for (const address of addresses) {
    const answer = await fetchRaw(scene.berth.url + address)
    const { status } = answer
    const page = answer.text()
    expect([address, status < 500]).toEqual([address, true])
    expect([address, page.includes('<img'), page.match(/<script/g)?.length]).toEqual([address, false, 1])
    expect([address, page.match(/[\u0000-\u0008\u000b-\u001f\u200b\u202a-\u202e\u2066-\u2069]/)]).toEqual([
      address,
      null,
    ])
  }
  const page = (await fetchRaw(`${scene.berth.url}/r/${name}/t/1`)).text()
  expect(page).toContain('built by &quot;&#39;&gt;&lt;script&gt;')
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(page).toContain('a\\u{0}b\\u{1b}[31mc\\u{202e}d')
})

it('shows a thousand of what an image has a hundred thousand of: a page of all keeps everybody waiting', async () => {
  const many = <T>(make: (index: number) => T): T[] => Array.from({ length: 20_000 }, (_, index) => make(index))
  const named = (kind: string) => Object.fromEntries(many((index) => [`${kind}-${index}`, 'x']))
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: many((index) => `ENV-${index}=x`),
      Labels: named('label'),
      ExposedPorts: named('port'),
      Volumes: named('volume'),
    },
    history: many(() => ({ created_by: 'made-by' })),
  })
  const scene = await startScene()
  scene.upstream.push('org/many', {
    blobs: { config, layer: 'layer' },
    manifests: {
      image: { config: 'config', layers: many(() => 'layer'), annotations: named('annotation') },
      index: { manifests: many((index) => ({ of: 'image', platform: { os: 'linux', architecture: `cpu-${index}` } })) },
    },
    tags: { image: 'image', index: 'index' },
  })
  const page = async (tag: string) => (await fetchRaw(`${scene.berth.url}/r/docker.io/org/many/t/${tag}`)).text()
  const [image, index] = [await page('image'), await page('index')]
  for (const what of ['ENV', 'label', 'port', 'volume', 'annotation']) {
    expect([what, new Set(image.match(new RegExp(`${what}-\\d+`, 'g'))).size]).toEqual([what, 1_000])
  }
  expect(image.match(/made-by/g)).toHaveLength(1_000)
  expect(new Set(index.match(/cpu-\d+/g)).size).toBe(1_000)
})

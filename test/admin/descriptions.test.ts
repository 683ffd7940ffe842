import { describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { admin, password, startScene, type SceneOptions } from '../helpers/pages.ts'
import { descriptor, imageOf, ociIndex, ociManifest, Pusher, sha256 } from '../helpers/push.ts'

const shortKey = 'org.opencontainers.image.description'
const readmeKey = 'io.berth.readme'
const json = { 'content-type': 'application/json' }
const node = 'docker.io/library/node'

type Json = Record<string, unknown>

async function start(options: SceneOptions = {}) {
  const scene = await startScene(options)
  const { berth } = scene
  const ask = async (method: string, path: string, sent: { body?: object; headers?: object } = {}) => {
    const { body, headers = admin } = sent
    const all = { ...headers, ...(body && json) }
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}`, {
      method,
      headers: all,
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: answer.json() as Json }
  }
  const read = async (name = 'team/app') => (await ask('GET', `description?name=${name}`)).body
  const write = (change: object, headers: object = admin) =>
    ask('PUT', 'description', { body: { name: 'team/app', ...change }, headers })
  return { scene, ask, read, write, pusher: new Pusher(berth.url, 'team/app', admin) }
}

interface Saying {
  annotations?: Record<string, string>
  labels?: Record<string, string>
  /** Files of the image, as `oras push` makes them. */
  files?: { title: string; mediaType: string; content: string }[]
}

/** Pushes an image under a tag, or by its digest. Returns its manifest. */
async function push(pusher: Pusher, tag: string | undefined, { annotations, labels = {}, files = [] }: Saying) {
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: labels } })
  for (const bytes of [config, 'layer', ...files.map(({ content }) => content)]) await pusher.blob(bytes)
  const image = imageOf(config, 'layer')
  const layers = files.map(({ title, mediaType, content }) => ({
    ...descriptor(content, mediaType),
    annotations: { 'org.opencontainers.image.title': title },
  }))
  const manifest = JSON.stringify({
    ...image,
    layers: [...image.layers, ...layers],
    ...(annotations && { annotations }),
  })
  const { status } = await pusher.manifest(tag ?? sha256(manifest), manifest)
  expect(status).toBe(201)
  return manifest
}

describe('the description of a repository', () => {
  it('is what its image says: in annotations or labels, of the index or of the image in it', async () => {
    const { pusher, read } = await start()
    await push(pusher, 'label', { labels: { [shortKey]: 'By label', [readmeKey]: '# Label' } })
    expect(await read()).toMatchObject({ short: 'By label', shortFrom: 'image', readme: '# Label', tag: 'label' })
    await push(pusher, 'annotation', {
      annotations: { [shortKey]: 'By annotation' },
      labels: { [shortKey]: 'By label' },
    })
    expect(await read()).toMatchObject({ short: 'By annotation', readme: '', tag: 'annotation' })

    const child = await push(pusher, undefined, { annotations: { [shortKey]: 'Of the child', [readmeKey]: '# Child' } })
    const manifests = [{ ...descriptor(child, ociManifest), platform: { os: 'linux', architecture: 'amd64' } }]
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests }
    await pusher.manifest('latest', index, ociIndex)
    expect(await read()).toMatchObject({ short: 'Of the child', readme: '# Child', readmeFrom: 'image', tag: 'latest' })
    await pusher.manifest('latest', { ...index, annotations: { [shortKey]: 'Of the index' } }, ociIndex)
    expect(await read()).toMatchObject({ short: 'Of the index', readme: '# Child' })
  })

  it('has a README that is a file of an artifact, or is attached to an image', async () => {
    const { pusher, read } = await start()
    const files = [
      { title: 'notes.md', mediaType: 'text/markdown', content: 'notes' },
      { title: 'docs/README.md', mediaType: 'text/markdown', content: '# From a file' },
    ]
    await push(pusher, '1', { files })
    expect(await read()).toMatchObject({ readme: '# From a file', readmeFrom: 'image' })
    const image = await push(pusher, '2', {})
    expect(await read()).toMatchObject({ readme: '', tag: '2' })
    for (const content of ['# Attached', '# Attached later']) {
      await pusher.blob(content)
      const layer = {
        ...descriptor(content, 'text/markdown'),
        annotations: { 'org.opencontainers.image.title': 'README.md' },
      }
      const attached = {
        schemaVersion: 2,
        mediaType: ociManifest,
        artifactType: 'application/vnd.example.docs',
        config: descriptor('{}', 'application/vnd.oci.empty.v1+json'),
        layers: [layer],
        subject: descriptor(image, ociManifest),
      }
      await pusher.blob('{}')
      await pusher.manifest(sha256(JSON.stringify(attached)), attached)
      expect(await read()).toMatchObject({ readme: content })
    }
  })

  it('is of latest, else of what was pushed last; what is named after content stands for nothing', async () => {
    const { pusher, read, scene } = await start()
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Latest' } })
    await push(pusher, '2', { annotations: { [shortKey]: 'Two' } })
    expect(await read()).toMatchObject({ short: 'Latest', tag: 'latest' })
    await pusher.send('DELETE', 'manifests/latest')
    await push(pusher, `sha256-${'0'.repeat(64)}.sig`, { annotations: { [shortKey]: 'A signature' } })
    expect(await read()).toMatchObject({ short: 'Two', tag: '2' })
    await fetchRaw(`${scene.berth.url}/v2/team/app/manifests/2`, { method: 'DELETE', headers: admin })
    expect(await read()).toEqual({ short: '', readme: '', version: expect.any(String) as string })
  })

  it('leaves out an image’s README that is larger than 64 KiB, and says so', async () => {
    const { pusher, read } = await start()
    await push(pusher, '1', { annotations: { [readmeKey]: 'x'.repeat(65_537) } })
    expect(await read()).toMatchObject({ readme: '', leftOut: 65_537 })
    const files = [{ title: 'README.md', mediaType: 'text/markdown', content: 'é'.repeat(40_000) }]
    await push(pusher, '2', { files })
    expect(await read()).toMatchObject({ readme: '', leftOut: 80_000 })
  })

  it('of a cached one is what is here of its image: nothing is fetched for it', async () => {
    const { scene, read } = await start()
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: { [shortKey]: 'A tool' } } })
    scene.upstream.push('org/tool', {
      blobs: { config, layer: 'layer' },
      manifests: { m: { config: 'config', layers: ['layer'] } },
      tags: { latest: 'm' },
    })
    await scene.pull('org/tool', 'latest')
    const before = scene.upstream.requests.length
    expect(await read('docker.io/org/tool')).toMatchObject({ short: '' })
    expect(scene.upstream.requests).toHaveLength(before)
    await scene.pullAll('org/tool', 'm')
    expect(await read('docker.io/org/tool')).toMatchObject({ short: 'A tool', shortFrom: 'image' })
  })
})

describe('a description that somebody writes', () => {
  it('stays whatever is pushed, and an empty text is the image’s again', async () => {
    const { pusher, read, write } = await start()
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Pushed', [readmeKey]: '# Pushed' } })
    const { status, body } = await write({ short: 'Written', readme: '# Written\r\n\r\ntext\r\n' })
    expect([status, body]).toMatchObject([
      200,
      { short: 'Written', shortFrom: 'here', readme: '# Written\n\ntext', writtenBy: 'ada' },
    ])
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Pushed anew', [readmeKey]: '# Pushed anew' } })
    expect(await read()).toMatchObject({ short: 'Written', readme: '# Written\n\ntext', readmeFrom: 'here' })
    await write({ readme: '' })
    expect(await read()).toMatchObject({ short: 'Written', readme: '# Pushed anew', readmeFrom: 'image' })
    // What is as the image says is not kept: it goes on with the image.
    await write({ short: '' })
    await write({ short: 'Pushed anew', readme: '# Pushed anew' })
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Third' } })
    expect(await read()).toMatchObject({ short: 'Third', shortFrom: 'image', readme: '' })
  })

  it('does not overwrite what has changed since it was read, by a writer or by a push', async () => {
    const { pusher, read, write } = await start()
    await push(pusher, 'latest', {})
    const { version } = await read()
    expect((await write({ short: 'First', version })).status).toBe(200)
    const late = await write({ short: 'Second', version })
    expect([late.status, late.body]).toMatchObject([
      409,
      { errors: [{ message: expect.stringMatching(/changed since/) as string }] },
    ])
    const seen = (await read()).version
    await push(pusher, 'latest', { annotations: { [readmeKey]: '# Pushed meanwhile' } })
    expect((await write({ readme: '# Mine', version: seen })).status).toBe(409)
    expect(await read()).toMatchObject({ short: 'First', readme: '# Pushed meanwhile' })
    expect((await write({ short: 'Whatever is there' })).status).toBe(200)
  })

  it('is kept once of many that saw the same one', async () => {
    const { pusher, read, write } = await start()
    await push(pusher, 'latest', {})
    const { version } = await read()
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => write({ short: `${i}`, version })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 409)])
  })

  it('is refused when it is too long, with what was wanted and seen', async () => {
    const { pusher, write, read } = await start()
    await push(pusher, 'latest', {})
    const refusals = [
      [{ readme: 'x'.repeat(65_537) }, /at most 65536 bytes, saw 65537/],
      [{ short: 'x'.repeat(301) }, /up to 300 characters, saw 301/],
      [{ short: 'two\nlines' }, /one line/],
      [{ readme: 'x'.repeat(600_000) }, /at most 524288 bytes/],
    ] as const
    for (const [change, message] of refusals) {
      const { status, body } = await write(change)
      expect([status, body]).toMatchObject([413, { errors: [{ message: expect.stringMatching(message) as string }] }])
    }
    expect((await write({ readme: 'é'.repeat(32_768) })).status).toBe(200)
    expect((await read()).readme).toHaveLength(32_768)
  })

  it('is taken from those who may push, for what is hosted and there', async () => {
    const { pusher, write, ask, scene } = await start()
    await push(pusher, 'latest', {})
    await scene.pull('library/node', '20')
    expect((await write({ short: 'Mine' }, {})).status).toBe(401)
    const put = (name: string) => ask('PUT', 'description', { body: { name, short: 'Mine' } })
    expect((await put('node')).body).toMatchObject({ errors: [{ code: 'DENIED' }] })
    expect(await put('team/none')).toMatchObject({ status: 404, body: { errors: [{ code: 'NAME_UNKNOWN' }] } })
    expect((await ask('GET', 'description?name=team/none')).status).toBe(404)
  })

  it('is told to the audit log', async () => {
    const { pusher, write, ask } = await start()
    await push(pusher, 'latest', {})
    await write({ short: 'Mine', readme: '# Mine' })
    await write({ short: 'Mine', readme: '# Mine' })
    await write({ readme: '' })
    const { entries } = (await ask('GET', 'audit?action=description%20changed')).body as { entries: Json[] }
    expect(entries.map(({ user, name, detail }) => [user, name, detail])).toEqual([
      ['ada', 'team/app', 'readme as the image says'],
      ['ada', 'team/app', 'short, readme'],
    ])
  })
})

describe('searches', () => {
  const found = ({ body }: { body: Json }) => (body.items as Json[]).map(({ name, description }) => [name, description])

  it('find words of descriptions, behind those that find names', async () => {
    const { scene, pusher, ask, write } = await start()
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Shows what a\nNODE is' } })
    await scene.pull('library/node', '20')
    const line = 'Node.js, a JavaScript runtime built on V8.'
    expect(found(await ask('GET', 'repositories?q=node'))).toEqual([
      [node, line],
      ['team/app', 'Shows what a NODE is'],
    ])
    expect(found(await ask('GET', 'repositories?q=team%20shows'))).toEqual([['team/app', 'Shows what a NODE is']])
    await write({ short: 'Written later' })
    expect(found(await ask('GET', 'repositories?q=shows'))).toEqual([])
    expect(found(await ask('GET', 'repositories?q=later'))).toEqual([['team/app', 'Written later']])
  })

  it('know a label once the config that has it was pulled', async () => {
    const { scene, ask } = await start()
    const config = JSON.stringify({ config: { Labels: { [shortKey]: 'A tool' } } })
    const spec = { blobs: { config }, manifests: { m: { config: 'config', layers: [] } }, tags: { 1: 'm' } }
    scene.upstream.push('org/tool', spec)
    await scene.pull('org/tool', '1')
    expect(found(await ask('GET', 'repositories?q=tool'))).toEqual([['docker.io/org/tool', undefined]])
    await scene.pullAll('org/tool', 'm')
    await scene.pull('org/tool', '1')
    const again = await scene.restart()
    const answer = await fetchRaw(`${again.berth.url}/api/v1/repositories?q=a%20tool`)
    expect(answer.json()).toMatchObject({ items: [{ name: 'docker.io/org/tool', description: 'A tool' }] })
  })

  it('say what a pinned tag is pinned to, until it is released', async () => {
    const { scene, ask } = await start()
    const says = (text: string) => ({ manifests: { m: { annotations: { [shortKey]: text } } }, tags: { latest: 'm' } })
    scene.upstream.push('org/tool', says('Before'))
    const digest = scene.upstream.content.digest('org/tool', 'latest')
    await scene.pull('org/tool', digest)
    scene.upstream.push('org/tool', says('After'))
    await scene.pull('org/tool', 'latest')
    const line = async () => found(await ask('GET', 'repositories?q=tool'))
    expect(await line()).toEqual([['docker.io/org/tool', 'After']])
    const pin = { name: 'docker.io/org/tool', tag: 'latest', digest }
    expect((await ask('POST', 'tag-pins', { body: pin })).status).toBe(200)
    expect(await line()).toEqual([['docker.io/org/tool', 'Before']])
    expect((await ask('DELETE', 'tag-pins?name=docker.io/org/tool&tag=latest')).status).toBe(200)
    expect(await line()).toEqual([['docker.io/org/tool', 'After']])
  })

  it('tell nobody of what they may not see: its words find nothing', async () => {
    const { scene, pusher, ask } = await start({ access: { anonymous: 'pull', user: { username: 'ada', password } } })
    await push(pusher, 'latest', { annotations: { [shortKey]: 'Unheard-of', [readmeKey]: '# Unheard-of' } })
    expect(found(await ask('GET', 'repositories?q=unheard'))).toEqual([['team/app', 'Unheard-of']])
    expect(found(await ask('GET', 'repositories?q=unheard', { headers: {} }))).toEqual([])
    for (const path of ['description?name=team/app', 'repository?name=team/app']) {
      const { status, body } = await ask('GET', path, { headers: {} })
      expect([path, status, JSON.stringify(body).includes('Unheard')]).toEqual([path, 401, false])
    }
    for (const path of ['/', '/search?q=unheard', '/r/team/app', '/r/team/app?edit=description']) {
      const page = (await fetchRaw(scene.berth.url + path)).text()
      expect([path, page.includes('Unheard')]).toEqual([path, false])
    }
  })
})

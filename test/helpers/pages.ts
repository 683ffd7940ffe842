import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { Pusher, descriptor, imageOf as pushedImage, ociManifest } from './push.ts'
import type { RepositorySpec } from './content.ts'
import { makeClock } from './clock.ts'
import { fetchRaw } from './http.ts'
import { startBerth, type BerthOptions, type RunningBerth, type UpstreamSettings } from './start.ts'
import { startUpstream, type Upstream } from './upstream.ts'

// Content that looks like what people have: a base image of several platforms with a history, its older version, a chart,
// an application pushed by a team. Everything is named and sized so that pages are the same in every run.

const built = '2029-12-24T10:00:00Z'

interface ConfigOptions {
  architecture: string
  version: string
  labels?: Record<string, string>
}

function configOf({ architecture, version, labels = {} }: ConfigOptions): string {
  return JSON.stringify({
    architecture,
    os: 'linux',
    created: built,
    config: {
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['node'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', `NODE_VERSION=${version}`],
      ExposedPorts: { '8080/tcp': {} },
      WorkingDir: '/app',
      Labels: { 'org.opencontainers.image.licenses': 'MIT', ...labels },
    },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [
      { created: built, created_by: '/bin/sh -c #(nop) ADD file:3b1f in / ' },
      { created: built, created_by: `/bin/sh -c #(nop)  ENV NODE_VERSION=${version}`, empty_layer: true },
      {
        created: built,
        created_by: 'RUN /bin/sh -c set -ex && apt-get update && apt-get install -y ca-certificates # buildkit',
      },
      { created: built, created_by: 'COPY docker-entrypoint.sh /usr/local/bin/ # buildkit' },
    ],
  })
}

/** node of one version for two platforms, tagged as given. */
export function nodeImage(version: string, tags: string[], seed = 1): RepositorySpec {
  const of = (architecture: string) => `${version}.${architecture}`
  const architectures = ['amd64', 'arm64']
  const blobs: NonNullable<RepositorySpec['blobs']> = {
    base: { size: 300_000, seed: 1 },
    entrypoint: '#!/bin/sh\nexec "$@"\n',
    [`${version}.layer`]: { size: 90_000, seed: seed + 10 },
  }
  const manifests: NonNullable<RepositorySpec['manifests']> = {}
  for (const architecture of architectures) {
    blobs[`${of(architecture)}.config`] = configOf({ architecture, version })
    const layers = ['base', `${version}.layer`, 'entrypoint']
    manifests[of(architecture)] = { config: `${of(architecture)}.config`, layers }
  }
  manifests[version] = {
    manifests: architectures.map((architecture) => ({
      of: of(architecture),
      platform: { os: 'linux', architecture, ...(architecture === 'arm64' && { variant: 'v8' }) },
    })),
    annotations: { 'org.opencontainers.image.description': 'Node.js, a JavaScript runtime built on V8.' },
  }
  return { blobs, manifests, tags: Object.fromEntries(tags.map((tag) => [tag, version])) }
}

export interface SceneOptions extends BerthOptions {
  /** Upstreams besides docker.io. */
  others?: UpstreamSettings[]
  /** Of docker.io, besides its name and URL. */
  upstreamSettings?: object
}

export interface Scene {
  readonly upstream: Upstream
  readonly berth: RunningBerth
  readonly pull: (name: string, reference: string) => Promise<void>
  /** A manifest by its symbolic name, and all its blobs. */
  readonly pullAll: (name: string, manifest: string) => Promise<void>
  /** The same in a new process: what was counted in memory is written then. */
  restart(): Promise<Scene>
  stop(): Promise<void>
}

/** Berth with one administrator, ada, in front of an upstream with images of node; a team has pushed here. */
export async function startScene({ others = [], upstreamSettings, ...options }: SceneOptions = {}): Promise<Scene> {
  const data = mkdtempSync(join(tmpdir(), 'berth-test-'))
  const upstream = await startUpstream({ content: { 'library/node': nodeImage('20.11.0', ['20', '20.11.0']) } })
  const docker = { name: 'docker.io', url: upstream.url, readAhead: false, ...upstreamSettings }
  const upstreams = [docker, ...others]
  return openScene(upstream, data, { upstreams, ...options })
}

async function openScene(upstream: Upstream, data: string, options: BerthOptions): Promise<Scene> {
  const berth = await startBerth({
    data,
    access: {
      anonymous: 'pull',
      user: { username: 'ada', password },
      policy: [{ match: 'team/*', pull: ['anyone'] }],
    },
    hosted: { namespaces: ['team'] },
    ...options,
  })
  const get = async (name: string, path: string) => {
    const answer = await fetchRaw(`${berth.url}/v2/${name}/${path}`)
    if (answer.status !== 200) throw new Error(`wanted ${path} of ${name}, saw ${answer.status}`)
    return answer.text()
  }
  return {
    upstream,
    berth,
    async pull(name, reference) {
      await get(name, `manifests/${reference}`)
    },
    async pullAll(name, manifest) {
      const text = await get(name, `manifests/${upstream.content.digest(name, manifest)}`)
      const { config, layers } = JSON.parse(text) as { config: Named; layers: Named[] }
      for (const { digest } of [config, ...layers]) await get(name, `blobs/${digest}`)
      // The last bytes go out before the file is in its place, and what is asked for until then counts as missing.
      const fills = async () => (await fetchRaw(`${berth.url}/api/v1/fills`, { headers: admin })).text()
      await vi.waitUntil(async () => (await fills()) === '[]', 10_000)
    },
    async restart() {
      await berth.stop()
      return openScene(upstream, data, options)
    },
    async stop() {
      await berth.stop()
      await upstream.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

interface Named {
  digest: string
}

export const password = 'correct horse battery staple'
export const admin = { authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}` }

/** An application, pushed by ada, with a signature and an SBOM that refer to it. */
export async function pushApplication(
  berth: RunningBerth,
  tags: string[],
  config = applicationConfig,
): Promise<Pusher> {
  const pusher = new Pusher(berth.url, 'team/app', admin)
  const layers = ['layer one', 'layer two', 'layer three']
  for (const bytes of [config, '{}', ...layers]) await pusher.blob(bytes)
  const image = JSON.stringify(pushedImage(config, ...layers))
  for (const tag of tags) await pusher.manifest(tag, image)
  const subject = descriptor(image, ociManifest)
  for (const artifactType of ['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/spdx+json']) {
    const empty = descriptor('{}', 'application/vnd.oci.empty.v1+json')
    const artifact = JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType,
      config: empty,
      layers: [empty],
      subject,
    })
    await pusher.manifest(descriptor(artifact).digest, artifact)
  }
  return pusher
}

export const applicationConfig = configOf({
  architecture: 'amd64',
  version: '1.4.2',
  labels: { maintainer: 'team@example.com' },
})

const day = 86_400_000

/** A registry some days old: node moved once, a team has pushed, and one upstream is down. */
export async function startOldScene(): Promise<Scene> {
  const clock = makeClock()
  const down = { name: 'ghcr.io', url: 'http://127.0.0.1:9' }
  let scene = await startScene({ clock, others: [down], webhooks: oldWebhooks(), warm: [oldWarmList] })
  const { upstream } = scene
  for (const tag of ['20', '20.11.0']) await scene.pull('library/node', tag)
  for (let i = 0; i < 3; i++) await scene.pullAll('library/node', '20.11.0.amd64')
  await warm(scene.berth)
  await pushApplication(scene.berth, ['1.4.1', '1.4.2'])
  clock.advance(9 * day)
  scene = await scene.restart()
  upstream.set({ rate: { limit: 100, remaining: 43 } })
  upstream.push('library/node', nodeImage('20.12.1', ['20', '20.12.1'], 3))
  for (const tag of ['20', '20.12.1']) await scene.pull('library/node', tag)
  for (let i = 0; i < 4; i++) await scene.pullAll('library/node', '20.11.0.amd64')
  clock.advance(5 * 3_600_000)
  scene = await scene.restart()
  for (let i = 0; i < 9; i++) await scene.pullAll('library/node', '20.12.1.amd64')
  clock.advance(3 * 3_600_000)
  scene = await scene.restart()
  await fetchRaw(`${scene.berth.url}/v2/ghcr.io/org/tool/manifests/1`)
  await addAccounts(scene.berth)
  await warm(scene.berth)
  await describeApplication(scene.berth)
  await scene.pull('library/node', '20')
  // Pulls are written in batches: every page is of after the last one.
  const tags = async () => (await fetchRaw(`${scene.berth.url}/api/v1/tags?name=library/node&q=20`)).text()
  await vi.waitUntil(async () => (await tags()).includes('"pulls":3'), 20_000)
  return scene
}

const oldWarmList = {
  name: 'base',
  references: ['docker.io/library/node:20', 'docker.io/library/node:{18,16}*'],
  platforms: ['linux/amd64'],
  schedule: '0 4 1 7 *',
}

/** Fetches the warm list, and waits for the end of it. */
async function warm(berth: RunningBerth): Promise<void> {
  const headers = { ...admin, 'content-type': 'application/json' }
  const begun = await fetchRaw(`${berth.url}/api/v1/warm/fetch`, { method: 'POST', headers, body: '{"list":"base"}' })
  const { id } = begun.json() as { id: number }
  const run = async () => (await fetchRaw(`${berth.url}/api/v1/warm/run?id=${id}`, { headers: admin })).json() as object
  await vi.waitUntil(async () => 'endedAt' in (await run()), 10_000)
}

/** One receiver that is down since long, and one that nothing has happened for. */
function oldWebhooks() {
  // Any file will do: nobody is there to look at a signature.
  const secretFile = fileURLToPath(import.meta.url)
  const hook = { secretFile, url: 'http://127.0.0.1:9/hooks/t0k3n' }
  return [
    { ...hook, name: 'ci', events: ['tag.moved'], match: ['docker.io/library/*'] },
    { ...hook, name: 'chat', events: ['budget.reserved', 'fill.failed'] },
  ]
}
/** What ada wrote of the application. */
async function describeApplication(berth: RunningBerth): Promise<void> {
  const given = {
    name: 'team/app',
    short: 'The shop: its API, its worker and its admin pages',
    readme: applicationReadme,
  }
  const headers = { ...admin, 'content-type': 'application/json' }
  await fetchRaw(`${berth.url}/api/v1/description`, { method: 'PUT', headers, body: JSON.stringify(given) })
}

const applicationReadme = `# The shop

[![Build](https://ci.example.com/app.svg)](https://ci.example.com/app) ![Logo](https://example.com/logo.png)

Serves the *shop*: the API, the worker and the **admin** pages. See [how to configure it](#configuration).

\`\`\`sh
docker run --name shop --publish 8080:8080 --env DATABASE_URL=postgres://shop@database.example.com:5432/shop --volume shop:/data team/app
\`\`\`

## Configuration

| variable | default | meaning |
|---|--:|---|
| \`DATABASE_URL\` | | where the database is, such as \`postgres://shop@database:5432/shop\` |
| \`WORKERS\` | 4 | how many orders are worked on at once, which should not be more than the database takes |

> The first start takes a minute.

1. Copy \`config.example.yaml\`
2. Start it

<details><summary>More about volumes</summary>

Only \`/data\` is written to.

</details>
`

/** A user, bob, who owns the organization crew and has a token. */
async function addAccounts(berth: RunningBerth): Promise<void> {
  const post = (path: string, given: object) =>
    fetchRaw(`${berth.url}/api/v1/${path}`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify(given),
    })
  await post('users', { name: 'bob', password: 'bobs password' })
  await post('organizations', { name: 'crew' })
  await post('members', { organization: 'crew', user: 'bob', role: 'owner' })
  await post('grants', { name: 'team/app', account: 'crew', role: 'writer' })
  for (const owner of ['crew', 'ada'])
    await post('tokens', { owner, name: 'nightly builds', scopes: ['team/*:pull,push'] })
}

export interface PageSpec {
  readonly name: string
  readonly path: (scene: Scene) => string
  /** As ada, who may do everything. */
  readonly login: boolean
}

const node = '/r/docker.io/library/node'
const open = (name: string, path: string | ((scene: Scene) => string), login = false): PageSpec => {
  return { name, path: typeof path === 'string' ? () => path : path, login }
}

/** Every page there is, in the old scene. */
export const allPages: readonly PageSpec[] = [
  open('home', '/'),
  open('search', '/search?q=node'),
  open('repository', node),
  open('hosted', '/r/team/app'),
  open('tags', '/r/team/app?view=tags'),
  open('image', `${node}/t/20`),
  open('digest', ({ upstream }) => `${node}/t/${upstream.content.digest('library/node', '20.11.0')}`),
  open('difference', ({ upstream }) => {
    return `${node}/t/20?compare=${upstream.content.digest('library/node', '20.11.0')}`
  }),
  open('application', '/r/team/app/t/1.4.2'),
  open('login', '/login'),
  open('missing', '/r/docker.io/library/nothing'),
  open('cache', '/cache', true),
  open('collection', '/cache/collection', true),
  open('warm', '/warm', true),
  open('warm-run', '/warm/2', true),
  open('webhooks', '/webhooks', true),
  open('webhook', '/webhooks/ci', true),
  open('account', '/account', true),
  open('accounts', '/accounts', true),
  open('audit', '/audit?action=account+changed', true),
  open('organization', '/accounts/crew', true),
  open('user', '/accounts/bob', true),
  open('hosted-of-admin', '/r/team/app', true),
  open('describe', '/r/team/app?edit=description', true),
  open('image-of-admin', `${node}/t/20`, true),
  open('application-of-admin', '/r/team/app/t/1.4.2', true),
]

import { expect, it } from 'vitest'
import type { RepositorySpec } from '../helpers/content.ts'
import { partsBelow, type Parts } from '../helpers/image-parts.ts'
import * as images from '../helpers/images.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

/** A client as a machine has it on which it was just installed: it holds no image. */
export interface Client {
  /** Pulls an image of docker.io, such as `library/busybox:1`, and tells the diff ids of the layers it then has. */
  pull: (reference: string) => Promise<string[]>
}

export type StartClient<C extends Client = Client> = (berth: RunningBerth) => C | Promise<C>

/** What the images are made with. */
export const imageTools = ['busybox', 'zstd']

const busybox = 'library/busybox:1'
const multiArch = 'library/multi:1'
const otherArchitecture = images.thisArchitecture === 'amd64' ? 'arm64' : 'amd64'

const forms = {
  'a Docker manifest list': 'example/docker-list:1',
  'a layer without a file': 'example/empty-layer:1',
  'layers compressed with zstd': 'example/zstd:1',
}

const content: Record<string, () => RepositorySpec> = {
  'library/busybox': () => images.busyboxImage(),
  'library/multi': () => images.multiArchImage(),
  'example/docker-list': () => images.dockerListImage(),
  'example/empty-layer': () => images.emptyLayerImage(),
  'example/zstd': () => images.zstdImage(),
}

/** What every client can count on: the cost of its pulls, seen from the upstream. `cannot`: what this client does not know. */
export function testPulls(startClient: StartClient, cannot: (keyof typeof forms)[] = []): void {
  it('pulls a cold image through Berth, which asks upstream once for each part', async () => {
    const { upstream, image, pull } = await startScene(startClient, busybox)
    expect(await pull(busybox)).toEqual(image.diffIds)
    expectEachPartOnce(upstream, busybox, image)
  })

  it('pulls a warm image without a request at the upstream', async () => {
    const { upstream, image, pull } = await startScene(startClient, busybox)
    await pull(busybox)
    upstream.forget()
    expect(await pull(busybox)).toEqual(image.diffIds)
    expect(upstream.requests).toEqual([])
  })

  it('pulls a warm image whose tag is due for a HEAD of the tag and nothing else', async () => {
    const { upstream, image, pull } = await startScene(startClient, busybox, { freshness: 'never' })
    await pull(busybox)
    upstream.forget()
    expect(await pull(busybox)).toEqual(image.diffIds)
    expect(upstream.requests).toEqual(['HEAD /v2/library/busybox/manifests/1 200'])
  })

  it('pulls a warm image while the upstream is down, though its tag is due', async () => {
    const { upstream, image, pull } = await startScene(startClient, multiArch, { freshness: 'never' })
    await pull(multiArch)
    await upstream.stop()
    expect(await pull(multiArch)).toEqual(image.diffIds)
  })

  it('pulls its platform of a multi-arch index with attestations, without layers of another one', async () => {
    const { upstream, image, pull } = await startScene(startClient, multiArch)
    expect(await pull(multiArch)).toEqual(image.diffIds)
    expectEachPartOnce(upstream, multiArch, image)
    expect(upstream.count(upstream.content.digest('library/multi', `${otherArchitecture}.layer1`))).toBe(0)
  })

  it('pulls by digest: cold through Berth, warm without a request at the upstream', async () => {
    const { upstream, image, pull } = await startScene(startClient, multiArch)
    const byDigest = `${split(multiArch).name}@${image.manifests[0]}`
    expect(await pull(byDigest)).toEqual(image.diffIds)
    expectEachPartOnce(upstream, multiArch, image)
    upstream.forget()
    expect(await pull(byDigest)).toEqual(image.diffIds)
    expect(upstream.requests).toEqual([])
  })

  const known = Object.entries(forms).filter(([form]) => !(cannot as string[]).includes(form))
  it.each(known)('pulls %s', async (_, reference) => {
    const { image, pull } = await startScene(startClient, reference)
    expect(await pull(reference)).toEqual(image.diffIds)
  })
}

export interface Scene<C extends Client> {
  upstream: Upstream
  /** What a client must have after it pulled `reference`. */
  image: Parts
  newClient: () => Promise<C>
  /** Each time by a new client, as a second machine would. */
  pull: (reference: string) => Promise<string[]>
}

/** An upstream like Docker Hub (tokens, a CDN, a pull limit) that has this image, and Berth in front of it. */
export async function startScene<C extends Client>(
  startClient: StartClient<C>,
  reference: string,
  settings: object = {},
): Promise<Scene<C>> {
  const { name, tag } = split(reference)
  const upstream = await startUpstream({
    content: { [name]: content[name]!() },
    auth: { kind: 'bearer', realmHost: 'other' },
    cdn: {},
    rate: { limit: 100 },
  })
  const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url, ...settings }] })
  const repository = upstream.content.in(name)
  const image = await partsBelow(repository.digest(tag), (digest) => repository.json(digest))
  const newClient = async (): Promise<C> => startClient(berth)
  return { upstream, image, newClient, pull: async (each) => (await newClient()).pull(each) }
}

/**
 * Upstream sent each part, and none of them or of anything else twice. Some clients take more than they need: configs of other
 * platforms, attestations and their referrers. A 401 sends nothing, and the CDN is asked only for what the registry was.
 */
function expectEachPartOnce(upstream: Upstream, reference: string, { manifests, blobs }: Parts): void {
  const { name, tag } = split(reference)
  const asked = upstream.received
    .filter(({ role, method, status }) => role === 'registry' && method === 'GET' && status !== 401)
    .map(({ url }) => url.replace(new RegExp(`^/v2/${name}/(manifests|blobs)/`), ''))
    .map((part) => (part === tag ? upstream.content.digest(name, tag) : part))
  expect(asked).toEqual([...new Set(asked)])
  expect(asked).toEqual(expect.arrayContaining([...manifests, ...blobs]))
}

function split(reference: string): { name: string; tag: string } {
  const [name = '', tag = ''] = reference.split(':')
  return { name, tag }
}

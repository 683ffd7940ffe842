import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predicates, provenance, referrer, spdx, statement } from '../helpers/attestations.ts'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, startScene, type Scene } from '../helpers/pages.ts'
import { descriptor, ociManifest, Pusher, sha256 } from '../helpers/push.ts'
import { attachByReferrer, attachByTag, makeSigner, type KeySigner } from '../helpers/signing.ts'
import { makeTar } from '../helpers/tar.ts'
import { describeTool } from '../helpers/tools.ts'

const dpkg = (packages: Record<string, string>) =>
  Object.entries(packages)
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nInstalled-Size: 2048\n`,
    )
    .join('\n')
const layerOf = (path: string, content: string) => gzipSync(makeBytes(makeTar([{ path, content }])).read())
const dpkgLayer = (packages: Record<string, string>) => layerOf('var/lib/dpkg/status', dpkg(packages))
const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip'

/** An image of these layers, pushed whole; its manifest. */
async function push(pusher: Pusher, tag: string, ...layers: Uint8Array[]) {
  for (const bytes of ['{}', ...layers]) await pusher.blob(bytes)
  const config = descriptor('{}', 'application/vnd.oci.image.config.v1+json')
  const entries = layers.map((bytes) => descriptor(bytes, gzip))
  const bytes = JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config, layers: entries })
  await pusher.manifest(tag, bytes)
  return { bytes, digest: sha256(bytes) }
}

async function attach(pusher: Pusher, type: string, subject: { bytes: string }, ...documents: [string, string][]) {
  for (const [, bytes] of documents) await pusher.blob(bytes)
  const manifest = referrer(type, subject, ...documents)
  await pusher.manifest(sha256(manifest), manifest)
}

const get = async ({ berth }: Scene, path: string) =>
  (await fetchRaw(`${berth.url}/api/v1/${path}`)).json() as Record<string, unknown>

async function start() {
  const scene = await startScene()
  return { scene, pusher: new Pusher(scene.berth.url, 'team/app', admin) }
}

/** Asked again until it is not being read any more. */
async function known(scene: Scene, path: string, key?: string) {
  const read = async () => {
    const answer = await get(scene, path)
    return (key === undefined ? answer : answer[key]) as { state: string }
  }
  await expect.poll(async () => (await read()).state, { timeout: 20_000 }).not.toBe('reading')
  return read()
}

const inToto = 'application/vnd.in-toto+json'

describeTool('what changed among packages', { tools: ['chromium'] }, () => {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()))
  afterAll(() => browser?.close())

  it('is on the page of a tag: from the layers, with sizes', async () => {
    const { scene, pusher } = await start()
    const one = await push(pusher, '1.0', dpkgLayer({ libc6: '2.36-9', zlib1g: '1.2', wget: '1.21' }))
    await push(pusher, '1.0', dpkgLayer({ libc6: '2.36-10', zlib1g: '1.2', '<b>curl</b>': '8' }))
    const page = await browser.newPage()
    const tab = new Tab(page)
    await page.goto(`${scene.berth.url}/r/team/app/t/1.0`)
    await page.getByRole('link', { name: 'what changed since' }).click()
    // Where the layers take long, the page asks again by itself.
    const rows = page.locator('table.packages tbody tr')
    await rows.first().waitFor({ timeout: 20_000 })
    expect((await rows.allTextContents()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
      '<b>curl</b> debnot there82.0 MiB',
      'libc6 deb2.36-92.36-100 B',
      'wget deb1.21not there−2.0 MiB',
    ])
    expect(await page.getByText('6.0 MiB → 6.0 MiB when installed').isVisible()).toBe(true)
    await tab.photograph('packages')
    await tab.expectSound()
    expect(page.url()).toContain(one.digest.replace(':', '%3A'))
  })
})

describe('the packages of an image', () => {
  it('are those of its SBOM, where it has one, and told apart by source', async () => {
    const { scene, pusher } = await start()
    const one = await push(pusher, '1', dpkgLayer({ libc6: '1' }))
    const two = await push(pusher, '2', dpkgLayer({ libc6: '2' }))
    const path = (from: string, to: string) => `difference?name=team/app&from=${from}&to=${to}`
    expect(await known(scene, path(one.digest, two.digest), 'packages')).toMatchObject({
      from: { source: { kind: 'layers' }, count: 1, size: 2 ** 21 },
      changes: [{ name: 'libc6', from: ['1'], to: ['2'] }],
    })
    for (const [image, packages] of [
      [one, { libc6: '1', 'left-pad': '1.3' }],
      [two, { libc6: '2', 'left-pad': '1.4' }],
    ] as const) {
      const bill: [string, string] = [inToto, statement(image.digest, predicates.spdx, spdx(packages))]
      await attach(pusher, inToto, image, bill)
    }
    const { changes, from } = (await known(scene, path(one.digest, two.digest), 'packages')) as never
    expect((changes as { name: string }[]).map(({ name }) => name)).toEqual(['left-pad', 'libc6'])
    expect(from).toMatchObject({ source: { kind: 'SBOM', format: 'SPDX 2.3' } })
    expect(await known(scene, 'packages?name=team/app&reference=2')).toMatchObject({
      source: { kind: 'SBOM' },
      packages: [{ name: 'libc6', version: '2' }, { name: 'left-pad' }],
    })
  })

  it('are not taken from an SBOM that is about another image', async () => {
    const { scene, pusher } = await start()
    const image = await push(pusher, '1', dpkgLayer({ libc6: '1' }))
    const other = statement(`sha256:${'a'.repeat(64)}`, predicates.spdx, spdx({ 'not-there': '1' }))
    await attach(pusher, inToto, image, [inToto, other])
    expect(await known(scene, 'packages?name=team/app&reference=1')).toMatchObject({
      source: { kind: 'layers' },
      packages: [{ name: 'libc6' }],
    })
    const page = (await fetchRaw(`${scene.berth.url}/r/team/app/t/1`)).text()
    expect(page).toContain('about another image')
  })

  it('are said to be not known where nobody reads their database, or there is none', async () => {
    const { scene, pusher } = await start()
    await push(pusher, 'rpm', layerOf('var/lib/rpm/rpmdb.sqlite', 'SQLite format 3'))
    await push(pusher, 'none', layerOf('app', 'binary'))
    const why = async (tag: string) => known(scene, `packages?name=team/app&reference=${tag}`)
    expect(await why('rpm')).toMatchObject({ state: 'unknown', why: expect.stringContaining('RPM') as string })
    expect(await why('none')).toMatchObject({ state: 'unknown', why: expect.stringContaining('dpkg or apk') as string })
  })

  it('of a cached image are read once all of its layers are here, and nothing is fetched for it', async () => {
    const { scene } = await start()
    const layer = dpkgLayer({ libc6: '1' })
    scene.upstream.push('org/app', {
      blobs: { config: '{}', layer },
      manifests: { m: { config: 'config', layers: [{ of: 'layer', mediaType: gzip }] } },
      tags: { 1: 'm' },
    })
    await scene.pull('org/app', '1')
    const path = 'packages?name=docker.io/org/app&reference=1'
    await get(scene, path)
    scene.upstream.forget()
    expect(await known(scene, path)).toMatchObject({
      state: 'unknown',
      why: expect.stringContaining('not all layers') as string,
    })
    expect(scene.upstream.count(/blobs/)).toBe(0)
    await scene.pullAll('org/app', 'm')
    expect(await known(scene, path)).toMatchObject({ packages: [{ name: 'libc6' }] })
  })
})

describe('what is attached to an image', () => {
  it('is shown by what it says: packages, builder, source', async () => {
    const { scene, pusher } = await start()
    const image = await push(pusher, '1', dpkgLayer({ libc6: '1' }))
    const bill: [string, string] = [inToto, statement(image.digest, predicates.spdx, spdx({ a: '1', b: '2' }))]
    const built: [string, string] = [inToto, statement(image.digest, predicates.slsa, provenance)]
    await attach(pusher, 'application/vnd.docker.attestation.manifest.v1+json', image, bill, built)
    const documents = async () => {
      const { referrers } = await get(scene, 'image?name=team/app&reference=1')
      return (referrers as { documents?: unknown[] }[])[0]?.documents
    }
    await expect.poll(documents, { timeout: 20_000 }).toMatchObject([
      { kind: 'SBOM', format: 'SPDX 2.3', packages: 2 },
      { kind: 'provenance', source: 'https://github.com/org/app', revision: 'refs/tags/v1' },
    ])
    const page = (await fetchRaw(`${scene.berth.url}/r/team/app/t/1`)).text()
    expect(page).toContain('SBOM, provenance')
    expect(page).toContain('2 packages (SPDX 2.3)')
    expect(page).toContain('built by https://github.com/org/app/.github/workflows/release.yml')
  })

  it('is found where BuildKit puts it: among the children of the index, for the platform that is shown', async () => {
    const { scene } = await start()
    const one = {
      blobs: { config: '{}', layer: 'layer' },
      manifests: { image: { config: 'config', layers: ['layer'] } },
    }
    const image = scene.upstream.push('org/app', one).digest('image')
    const bill = statement(image, predicates.spdx, spdx({ a: '1', b: '2', c: '3' }))
    scene.upstream.push('org/app', {
      blobs: { bill },
      manifests: {
        attestation: { config: 'config', layers: [{ of: 'bill', mediaType: inToto }] },
        index: {
          manifests: [
            { of: 'image', platform: { os: 'linux', architecture: 'amd64' } },
            {
              of: 'attestation',
              platform: { os: 'unknown', architecture: 'unknown' },
              annotations: {
                'vnd.docker.reference.type': 'attestation-manifest',
                'vnd.docker.reference.digest': image,
              },
            },
          ],
        },
      },
      tags: { 1: 'index' },
    })
    await scene.pull('org/app', '1')
    expect(await known(scene, 'packages?name=docker.io/org/app&reference=1')).toMatchObject({
      source: { kind: 'SBOM' },
      packages: { length: 3 },
    })
  })
})

describe('signatures of an image', () => {
  const app = {
    blobs: { config: '{}', layer: 'layer' },
    manifests: { m: { config: 'config', layers: ['layer'] } },
    tags: { 1: 'm' },
  }

  type Signing = { upstream: Scene['upstream']; digest: string; signer: KeySigner; stranger: KeySigner }

  async function signed(policy: string | undefined, attach: (signing: Signing) => unknown) {
    const [signer, stranger] = [makeSigner('ec', 'team.pub'), makeSigner('rsa')]
    const signatures = policy === undefined ? [] : [{ match: 'org/*', policy, keys: [signer.file] }]
    const scene = await startScene({ upstreamSettings: { signatures } })
    const digest = scene.upstream.push('org/app', app).digest('m')
    attach({ upstream: scene.upstream, digest, signer, stranger })
    await scene.pull('org/app', '1')
    const view = await get(scene, 'image?name=docker.io/org/app&reference=1')
    return { signatures: view.signatures, page: (await fetchRaw(`${scene.berth.url}/r/docker.io/org/app/t/1`)).text() }
  }

  it('are told by the verdict of the rule: who signed, and that it is fulfilled', async () => {
    const { signatures, page } = await signed('enforce', ({ upstream, digest, signer }) =>
      attachByTag(upstream, 'org/app', digest, signer.simple(digest)),
    )
    expect(signatures).toMatchObject({ verdict: { rule: 'org/*', policy: 'enforce', signer: 'team.pub' } })
    expect(page).toContain('Signed by team.pub')
  })

  it('are told by what speaks against them, where the rule only warns', async () => {
    const { signatures, page } = await signed('warn', ({ upstream, digest, stranger }) =>
      attachByReferrer(upstream, 'org/app', digest, stranger.bundle(digest)),
    )
    expect(signatures).toMatchObject({ verdict: { wanted: 'team.pub', against: 'a signature by another key' } })
    expect(page).toContain('Not signed as it should be')
    expect(page).toContain('the rule only warns')
  })

  it('are told by whom they name, unverified, where no rule says whose count', async () => {
    const { signatures, page } = await signed(undefined, ({ upstream, digest, stranger }) =>
      attachByReferrer(upstream, 'org/app', digest, stranger.bundle(digest)),
    )
    expect(signatures).toEqual({ claims: ['a key'] })
    expect(page).toContain('nobody has verified them')
  })
})

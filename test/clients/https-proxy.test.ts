import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { startDocker } from '../helpers/docker.ts'
import { makeFolder } from '../helpers/folder.ts'
import { partsBelow } from '../helpers/image-parts.ts'
import * as images from '../helpers/images.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { imageTools } from '../suites/client.ts'

/** Berth as HTTPS proxy of two registries, and the environment of a client that uses it and trusts it. */
async function startScene() {
  const content = { 'library/busybox': images.busyboxImage(), 'org/app': images.busyboxImage() }
  const upstream = await startUpstream({ content, auth: { kind: 'bearer', realmHost: 'other' }, cdn: {} })
  const upstreams = ['docker.io', 'quay.test'].map((name) => ({ name, url: upstream.url }))
  const berth = await startBerth({ upstreams, proxy: { enabled: true } })
  const ca = path.join(makeFolder(), 'ca.pem')
  writeFileSync(ca, (await openAuthority(berth.data)).certificate)
  const env = { HTTPS_PROXY: berth.url, SSL_CERT_FILE: ca }
  const repository = upstream.content.in('library/busybox')
  const image = await partsBelow(repository.digest('1'), (digest) => repository.json(digest))
  return { upstream, env, image }
}

const references = ['quay.test/org/app:1', 'docker.io/library/busybox:1']
const dockers = {
  'graph driver': ['dockerd', 'containerd'],
  'containerd store': ['dockerd-29/dockerd', 'containerd-2/ctr'],
} as const

for (const kind of ['graph driver', 'containerd store'] as const) {
  const tools = [...dockers[kind], 'runc', 'docker', ...imageTools]
  describeTool(`dockerd (${kind}) with Berth as its HTTPS proxy`, { tools, root: true }, () => {
    it.each(references)('pulls %s through it, and again while the registry is down', async (reference) => {
      const { upstream, env, image } = await startScene()
      const first = await startDocker(kind, { env })
      expect(await first.pull(reference)).toEqual(image.diffIds)
      await upstream.stop()
      const second = await startDocker(kind, { env })
      expect(await second.pull(reference)).toEqual(image.diffIds)
    })
  })
}

describeTool('skopeo with Berth as its HTTPS proxy', { tools: ['skopeo', ...imageTools] }, () => {
  it.each(references)('copies %s', async (reference) => {
    const { env } = await startScene()
    const folder = makeFolder()
    await runTool('skopeo', ['copy', `docker://${reference}`, `dir:${folder}/image`], { env: { ...env, HOME: folder } })
  })

  it('does not get to a host that is not allowed', async () => {
    const { env } = await startScene()
    const inspect = runTool('skopeo', ['inspect', 'docker://elsewhere.test/org/app:1'], { env })
    await expect(inspect).rejects.toThrow(/Forbidden/)
  })
})

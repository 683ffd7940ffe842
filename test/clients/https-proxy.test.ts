import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { openAuthority } from '../../src/proxy/proxy.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { startDocker } from '../helpers/docker.ts'
import { makeFolder } from '../helpers/folder.ts'
import { partsBelow } from '../helpers/image-parts.ts'
import * as images from '../helpers/images.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { imageTools } from '../suites/client.ts'

/** Berth as HTTPS proxy of two registries, and the environment of a client that uses it and trusts it. */
async function startScene(settings: BerthOptions = {}) {
  const content = { 'library/busybox': images.busyboxImage(), 'org/app': images.busyboxImage() }
  const upstream = await startUpstream({ content, auth: { kind: 'bearer', realmHost: 'other' }, cdn: {} })
  const upstreams = ['docker.io', 'quay.test'].map((name) => ({ name, url: upstream.url }))
  const berth = await startBerth({ upstreams, proxy: { enabled: true }, ...settings })
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

    it('is told why it cannot push', async () => {
      const { env } = await startScene()
      const { docker, pull } = await startDocker(kind, { env })
      await pull('quay.test/org/app:1')
      await docker('tag', 'quay.test/org/app:1', 'quay.test/org/app:2')
      const pushed = docker('push', 'quay.test/org/app:2')
      await expect(pushed).rejects.toThrow(/belongs to the upstream quay\.test, which is only read here/)
    })
  })
}

describeTool('podman with Berth as its HTTPS proxy', { tools: ['podman', ...imageTools], root: true }, () => {
  it.each(references)('pulls %s, and again while the registry is down', async (reference) => {
    const { upstream, env, image } = await startScene()
    for (const _ of ['cold', 'warm']) {
      const folder = makeFolder()
      const storage = ['root', 'runroot', 'tmpdir'].flatMap((name) => [`--${name}`, path.join(folder, name)])
      const podman = async (...args: string[]): Promise<string> => {
        const run = { env: { ...env, HOME: folder } }
        return (await runTool('podman', [...storage, '--storage-driver', 'vfs', ...args], run)).stdout
      }
      await podman('pull', '--quiet', reference)
      const layers = await podman('image', 'inspect', '--format={{json .RootFS.Layers}}', reference)
      expect(JSON.parse(layers)).toEqual(image.diffIds)
      await upstream.stop()
    }
  })
})

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

describeTool('curl with Berth as its HTTPS proxy, itself spoken to by TLS', { tools: ['curl', 'openssl'] }, () => {
  it('gets a manifest through TLS in TLS', async () => {
    const [certFile, keyFile] = ['tls.crt', 'tls.key'].map((name) => path.join(makeFolder(), name))
    const { cert, key } = makeCertificate()
    writeFileSync(certFile!, cert)
    writeFileSync(keyFile!, key)
    const { env } = await startScene({ tls: { certFile, keyFile } })
    const own = ['--silent', '--show-error', '--proxy', env.HTTPS_PROXY, '--proxy-cacert', certFile!]
    const url = 'https://quay.test/v2/org/app/tags/list'
    const { stdout } = await runTool('curl', [...own, '--cacert', env.SSL_CERT_FILE, url])
    expect(JSON.parse(stdout)).toMatchObject({ name: 'org/app' })
  })
})

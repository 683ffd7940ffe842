import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startDockerd, type DockerKind } from '../helpers/daemons.ts'
import { makeFolder } from '../helpers/folder.ts'
import { busyboxImage } from '../helpers/images.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Clients ask for several blobs at once, and docker and crane give up at the first 429: who asks for more than one client may have
// at once waits for a turn, and has the whole image in the end.

function testPatience(pull: (image: string) => Promise<unknown>): void {
  it('pulls an image whole where one request of a client is answered at a time', { timeout: 120_000 }, async () => {
    // So slow that clients ask for the next blob meanwhile.
    const faults = [{ on: /blobs/, bytesPerSecond: 1024 * 1024 }]
    const upstream = await startUpstream({ content: { 'library/busybox': busyboxImage() }, faults })
    const upstreams = [{ name: 'docker.io', url: upstream.url, readAhead: false }]
    const berth = await startBerth({ upstreams, limits: { requestsAtOnce: 1 } })
    await pull(`${berth.host}/docker.io/library/busybox:1`)
    expect(upstream.requests.filter((line) => line.includes('/blobs/')).length).toBeGreaterThanOrEqual(3)
  })
}

const daemons: [DockerKind, string[]][] = [
  ['graph driver', ['dockerd', 'containerd', 'runc']],
  ['containerd store', ['dockerd-29/dockerd', 'containerd-2/containerd']],
]

for (const [kind, tools] of daemons) {
  describeTool(`docker, with a ${kind}`, { tools: [...tools, 'docker', 'busybox', 'zstd'], root: true }, () => {
    testPatience(async (image) => {
      const daemon = await startDockerd(kind, { mirror: 'http://127.0.0.1:1' })
      onTestFinished(() => daemon.stop())
      await runTool('docker', ['-H', `unix://${daemon.socket}`, 'pull', '--quiet', image], { deadline: 100_000 })
    })
  })
}

describeTool('podman', { tools: ['podman', 'busybox', 'zstd'], root: true }, () => {
  testPatience((image) => {
    const folder = makeFolder()
    const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
    const args = [...storage, 'pull', '--quiet', '--tls-verify=false', image]
    return runTool('podman', args, { env: { HOME: folder }, deadline: 100_000 })
  })
})

describeTool('skopeo', { tools: ['skopeo', 'busybox', 'zstd'] }, () => {
  testPatience((image) => {
    const plain = ['--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false']
    return runTool('skopeo', [...plain, `docker://${image}`, `dir:${makeFolder()}`], { deadline: 100_000 })
  })
})
describeTool('crane', { tools: ['crane', 'busybox', 'zstd'] }, () => {
  testPatience((image) => runTool('crane', ['pull', image, join(makeFolder(), 'image.tar')], { deadline: 100_000 }))
})

describeTool('oras', { tools: ['oras', 'busybox', 'zstd'] }, () => {
  testPatience((image) => {
    const args = ['copy', '--from-plain-http', image, '--to-oci-layout', `${makeFolder()}:1`]
    return runTool('oras', args, { deadline: 100_000 })
  })
})

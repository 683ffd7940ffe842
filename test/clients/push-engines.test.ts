import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startDockerd, type DockerKind } from '../helpers/daemons.ts'
import { makeFolder } from '../helpers/folder.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { pushTools, startPushScene, user } from '../suites/push-scene.ts'

// Engines that unpack an image and pack it again: their manifests are their own, the content is the same.

const daemons: [DockerKind, string[]][] = [
  ['graph driver', ['dockerd', 'containerd', 'runc']],
  ['containerd store', ['dockerd-29/dockerd', 'containerd-2/containerd']],
]

for (const [kind, tools] of daemons) {
  describeTool(`docker, with a ${kind}`, { tools: [...tools, 'docker', ...pushTools], root: true }, () => {
    it('logs in, pushes an image and a second time only its manifest', { timeout: 90_000 }, async () => {
      const { host, source, expectPulled } = await startPushScene()
      const daemon = await startDockerd(kind, { mirror: 'http://127.0.0.1:1' })
      onTestFinished(() => daemon.stop())
      const docker = async (...args: string[]) => {
        const env = { DOCKER_CONFIG: daemon.folder, HOME: daemon.folder }
        return (await runTool('docker', ['-H', `unix://${daemon.socket}`, ...args], { env })).stdout
      }
      await expect(docker('login', '-u', user.username, '-p', 'wrong', host)).rejects.toThrow(/unauthorized|wrong/i)
      await docker('login', '-u', user.username, '-p', user.password, host)
      await docker('pull', '--quiet', source.image)
      await docker('tag', source.image, `${host}/team/busybox:1`)
      await docker('push', `${host}/team/busybox:1`)
      await expectPulled('team/busybox')
      await docker('tag', source.image, `${host}/team/busybox:2`)
      await docker('push', `${host}/team/busybox:2`)
      await docker('tag', source.image, `${host}/team/other:1`)
      await docker('push', `${host}/team/other:1`)
      await expectPulled('team/other')
      await docker('logout', host)
      await docker('tag', source.image, `${host}/team/busybox:3`)
      await expect(docker('push', `${host}/team/busybox:3`)).rejects.toThrow(
        /unauthorized|log in|insufficient_scope|denied/i,
      )
    })
  })
}

describeTool('podman', { tools: ['podman', ...pushTools], root: true }, () => {
  it('logs in, pushes an image, and logs out', async () => {
    const { host, source, expectPulled } = await startPushScene()
    const run = containersTool('podman')
    await run('pull', '--quiet', '--tls-verify=false', source.image)
    await run('login', '--tls-verify=false', '-u', user.username, '-p', user.password, host)
    await run('push', '--quiet', '--tls-verify=false', source.image, `${host}/team/busybox:1`)
    await expectPulled('team/busybox')
    await run('logout', host)
    const push = run('push', '--quiet', '--tls-verify=false', source.image, `${host}/team/busybox:2`)
    await expect(push).rejects.toThrow(/unauthorized|authentication|log in/i)
  })
})

describeTool('buildah', { tools: ['buildah', ...pushTools], root: true }, () => {
  it('commits a container and pushes the image, in both forms', async () => {
    const { host, source, digestOf } = await startPushScene()
    const run = containersTool('buildah')
    await run('login', '--tls-verify=false', '-u', user.username, '-p', user.password, host)
    const container = (await run('from', '--quiet', '--tls-verify=false', source.image)).trim()
    await run('config', '--label', 'made=here', container)
    await run('commit', '--quiet', container, 'made')
    for (const form of ['oci', 'v2s2']) {
      await run('push', '--quiet', '--tls-verify=false', '--format', form, 'made', `${host}/team/made:${form}`)
      expect(await digestOf('team/made', form)).toMatch(/^sha256:/)
    }
    const config = await runTool('crane', ['config', `${host}/team/made:oci`], { env: { HOME: makeFolder() } })
    expect(config.stdout).toContain('"made":"here"')
  })
})

/** podman or buildah with a storage and a login file of its own. */
function containersTool(name: 'podman' | 'buildah') {
  const folder = makeFolder({ 'auth.json': '{}' })
  const env = { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json') }
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  return async (...args: string[]): Promise<string> => (await runTool(name, [...storage, ...args], { env })).stdout
}

import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startContainerd, startDockerd, type DockerKind } from '../helpers/daemons.ts'
import { makeFolder } from '../helpers/folder.ts'
import { makeHelm } from '../helpers/helm.ts'
import { passwordOf, startWithUsers } from '../helpers/login.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { loginTools, testLogin, type LoginClient } from '../suites/login.ts'

const daemons: [DockerKind, string[]][] = [
  ['graph driver', ['dockerd', 'containerd', 'runc']],
  ['containerd store', ['dockerd-29/dockerd', 'containerd-2/containerd']],
]

for (const [kind, tools] of daemons) {
  describeTool(`docker, with a ${kind}`, { tools: [...tools, 'docker', ...loginTools], root: true }, () => {
    testLogin((host) => newDocker(kind, host))
  })
}

async function newDocker(kind: DockerKind, host: string): Promise<LoginClient> {
  const daemon = await startDockerd(kind, { mirror: 'http://127.0.0.1:1' })
  onTestFinished(() => daemon.stop())
  const env = { DOCKER_CONFIG: daemon.folder, HOME: daemon.folder }
  const docker = (...args: string[]) => runTool('docker', ['-H', `unix://${daemon.socket}`, ...args], { env })
  return {
    login: (user, password) => docker('login', '-u', user, '-p', password, host),
    logout: () => docker('logout', host),
    pull: (image) => docker('pull', '--quiet', image),
    push: async (from, to) => {
      await docker('tag', from, to)
      await docker('push', to)
    },
  }
}

for (const name of ['podman', 'buildah'] as const) {
  describeTool(name, { tools: [name, ...loginTools], root: true }, () => {
    testLogin(async (host) => {
      const folder = makeFolder({ 'auth.json': '{}' })
      const env = { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json') }
      const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
      const run = (...args: string[]) => runTool(name, [...storage, ...args], { env })
      const plain = '--tls-verify=false'
      return {
        login: (user, password) => run('login', plain, '-u', user, '-p', password, host),
        logout: () => run('logout', host),
        pull: (image) => run('pull', '--quiet', plain, image),
        push: (from, to) => run('push', '--quiet', plain, from, to),
      }
    })
  })
}

describeTool('skopeo', { tools: ['skopeo', ...loginTools] }, () => {
  testLogin(async (host) => {
    const folder = makeFolder({ 'auth.json': '{}' })
    const env = { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json') }
    const skopeo = (...args: string[]) => runTool('skopeo', ['--insecure-policy', ...args], { env })
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false']
    return {
      login: (user, password) => skopeo('login', '--tls-verify=false', '-u', user, '-p', password, host),
      logout: () => skopeo('logout', host),
      pull: (image) => skopeo('copy', '--quiet', ...plain, `docker://${image}`, `dir:${makeFolder()}`),
      push: (from, to) => skopeo('copy', '--quiet', ...plain, `docker://${from}`, `docker://${to}`),
    }
  })
})

describeTool('crane', { tools: loginTools }, () => {
  testLogin(
    async (host) => {
      const env = { HOME: makeFolder() }
      const crane = (...args: string[]) => runTool('crane', args, { env })
      return {
        login: (user, password) => crane('auth', 'login', host, '-u', user, '-p', password),
        logout: () => crane('auth', 'logout', host),
        pull: (image) => crane('pull', image, join(makeFolder(), 'image.tar')),
        push: (from, to) => crane('copy', from, to),
      }
    },
    { checksNothing: true },
  )
})

describeTool('oras', { tools: ['oras', ...loginTools] }, () => {
  testLogin(async (host) => {
    const env = { HOME: makeFolder() }
    const oras = (...args: string[]) => runTool('oras', args, { env })
    return {
      login: (user, password) => oras('login', '--plain-http', '-u', user, '-p', password, host),
      logout: () => oras('logout', host),
      pull: (image) => oras('copy', '--from-plain-http', image, '--to-oci-layout', `${makeFolder()}:1`),
      push: (from, to) => oras('copy', '--from-plain-http', '--to-plain-http', from, to),
    }
  })
})

describeTool('regctl', { tools: ['regctl', ...loginTools] }, () => {
  testLogin(async (host) => {
    const env = { HOME: makeFolder() }
    const regctl = (...args: string[]) => runTool('regctl', args, { env })
    await regctl('registry', 'set', host, '--tls', 'disabled')
    return {
      login: (user, password) => regctl('registry', 'login', host, '-u', user, '-p', password),
      logout: () => regctl('registry', 'logout', host),
      pull: (image) => regctl('image', 'copy', image, `ocidir://${makeFolder()}/layout:1`),
      push: (from, to) => regctl('image', 'copy', from, to),
    }
  })
})

describeTool('ctr', { tools: ['containerd-2/containerd', 'containerd-2/ctr', ...loginTools], root: true }, () => {
  testLogin(
    async () => {
      const containerd = await startContainerd()
      onTestFinished(() => containerd.stop())
      const images = (...args: string[]) =>
        runTool('containerd-2/ctr', ['--address', containerd.socket, 'images', ...args])
      // It keeps no login: each command is given it.
      let user: string[] = []
      return {
        login: async (name, password) => (user = ['--user', `${name}:${password}`]),
        logout: async () => (user = []),
        pull: (image) => images('pull', '--plain-http', ...user, image),
        push: async (from, to) => {
          await images('tag', '--force', from, to)
          await images('push', '--plain-http', ...user, to)
        },
      }
    },
    { checksNothing: true },
  )
})

describeTool('helm', { tools: ['helm'] }, () => {
  it('logs in, not with a wrong password, and pushes a chart that only members can pull', async () => {
    const { host } = await startWithUsers()
    const { login, logout, pushChart, show } = makeHelm()
    await expect(login(host, 'bob', 'wrong')).rejects.toThrow(/401|unauthorized/i)
    await login(host, 'bob', passwordOf('bob'))
    await pushChart(`oci://${host}/team/charts`)
    const chart = `oci://${host}/team/charts/hello`
    expect(await show(chart)).toContain('version: 0.1.0')
    await logout(host)
    await expect(show(chart)).rejects.toThrow()
  })
})

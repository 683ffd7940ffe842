import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startDockerd, type DockerKind } from '../helpers/daemons.ts'
import { busyboxImage } from '../helpers/images.ts'
import { passwordOf, startWithUsers } from '../helpers/login.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Where users log in to push, a dockerd whose mirror this is pulls on without a login. What it would answer to a challenge of
// its mirror is the login for Docker Hub that it was given (moby, registry.go: NewStaticCredentialStore).

const hubLogin = Buffer.from('hub-user:hub-password').toString('base64')

interface Kind {
  kind: DockerKind
  tools: string[]
  /** Addresses that are a mirror alone. An older dockerd takes no path. */
  mirrors: ((port: string) => string)[]
}

const byName = (port: string) => `http://localhost:${port}`
const byPath = (port: string) => `http://127.0.0.1:${port}/docker.io`
const bare = (port: string) => `http://127.0.0.1:${port}`

const kinds: Kind[] = [
  { kind: 'graph driver', tools: ['dockerd', 'containerd', 'runc'], mirrors: [byName] },
  { kind: 'containerd store', tools: ['dockerd-29/dockerd', 'containerd-2/containerd'], mirrors: [byName, byPath] },
]

for (const { kind, tools, mirrors } of kinds) {
  const needs = { tools: [...tools, 'docker', 'busybox', 'zstd'], root: true }
  describeTool(`a mirror for docker with a ${kind}`, needs, () => {
    it.each(mirrors.map((mirror) => [mirror('PORT'), mirror] as const))(
      'at %s is never sent the login for Docker Hub, while pushes to the same Berth need one',
      async (_, mirror) => {
        const { mirrored, docker, host, seen } = await start(kind, mirror)
        await docker('pull', '--quiet', 'busybox:1')
        expect(mirrored()).toBeGreaterThan(0)
        expect(seen.filter(({ authorization }) => authorization !== undefined)).toEqual([])

        await docker('tag', 'busybox:1', `${host}/team/busybox:1`)
        await expect(docker('push', `${host}/team/busybox:1`)).rejects.toThrow()
        await expect(docker('login', '-u', 'bob', '-p', 'wrong', host)).rejects.toThrow(/unauthorized|wrong/i)
        await docker('login', '-u', 'bob', '-p', passwordOf('bob'), host)
        await docker('push', `${host}/team/busybox:1`)
      },
    )

    it('at the bare address serves as well, often, and puts the login for Docker Hub that it is sent to no use', async () => {
      const { mirrored, docker, upstream, seen, host } = await start(kind, bare)
      for (let pulls = 0; pulls < 8; pulls++) {
        await docker('pull', '--quiet', 'busybox:1')
        await docker('image', 'rm', 'busybox:1')
      }
      expect(mirrored()).toBeGreaterThan(0)
      expect(seen.some(({ authorization }) => authorization?.includes(hubLogin))).toBe(kind === 'graph driver')
      expect(upstream.received.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
      // Nor does it keep anybody from logging in.
      await docker('login', '-u', 'bob', '-p', passwordOf('bob'), host)
    })
  })
}

async function start(kind: DockerKind, mirror: (port: string) => string) {
  const upstream = await startUpstream({ content: { 'library/busybox': busyboxImage() } })
  const berth = await startWithUsers({
    upstreams: [{ name: 'docker.io', url: upstream.url, virtualHosts: ['localhost'] }],
  })
  const { host, seen } = await startWitness(berth.url)
  const daemon = await startDockerd(kind, { mirror: mirror(host.split(':')[1]!) })
  onTestFinished(() => daemon.stop())
  const config = join(daemon.folder, 'config.json')
  writeFileSync(config, JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth: hubLogin } } }))
  const env = { DOCKER_CONFIG: daemon.folder, HOME: daemon.folder }
  const docker = (...args: string[]) => runTool('docker', ['-H', `unix://${daemon.socket}`, ...args], { env })
  const mirrored = () => upstream.count(/GET \/v2\/library\/busybox\/blobs\/.* 200/)
  return { mirrored, docker, host, seen, upstream }
}

/** A proxy that keeps what clients send, Host header and all. */
async function startWitness(target: string) {
  const seen: { url: string; authorization: string | undefined }[] = []
  const { hostname, port } = new URL(target)
  const server = http.createServer((request, response) => {
    const { authorization } = request.headers
    seen.push({ url: request.url!, authorization })
    const options = { hostname, port, method: request.method, path: request.url, headers: request.headers }
    const forwarded = http.request(options, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}

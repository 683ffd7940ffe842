import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startContainerd } from '../helpers/daemons.ts'
import { partsBelow } from '../helpers/image-parts.ts'
import { busyboxImage } from '../helpers/images.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { imageTools, startScene, testPulls, type Client } from '../suites/client.ts'

const tools = ['containerd-2/containerd', 'containerd-2/ctr', 'runc', ...imageTools]

describeTool('containerd 2 with one hosts.toml for all registries', { tools, root: true }, () => {
  testPulls((berth) => startCtr(berth.url))

  it('runs what it pulled', async () => {
    const { newClient } = await startScene((berth) => startCtr(berth.url), 'library/busybox:1')
    const { pull, ctr } = await newClient()
    await pull('library/busybox:1')
    expect(await ctr('run', '--rm', 'docker.io/library/busybox:1', 'greeter')).toBe('hello from busybox\n')
  })

  it('gets an image of the same name from the registry it asked for', async () => {
    const hub = await startUpstream({ content: { 'example/app': busyboxImage() } })
    const other = await startUpstream({ content: { 'example/app': busyboxImage({ architecture: 'riscv64' }) } })
    const upstreams = [
      { name: 'docker.io', url: hub.url },
      { name: 'ghcr.io', url: other.url },
    ]
    const berth = await startBerth({ upstreams })
    const { fetch } = await startCtr(berth.url)
    expect(await fetch('docker.io/example/app:1')).toBe(hub.content.digest('example/app', '1'))
    expect(await fetch('ghcr.io/example/app:1')).toBe(other.content.digest('example/app', '1'))
  })
})

interface Ctr extends Client {
  /** Runs the ctr command against the daemon and returns what it printed. */
  ctr: (...args: string[]) => Promise<string>
  /** Pulls from any registry, for every platform, without unpacking, and tells the digest it got. */
  fetch: (name: string) => Promise<string>
}

/** One mirror for every registry (`_default`): only ns= tells Berth which one is meant. */
async function startCtr(mirror: string): Promise<Ctr> {
  const daemon = await startContainerd()
  onTestFinished(() => daemon.stop())
  const hosts = join(daemon.folder, 'certs.d')
  mkdirSync(join(hosts, '_default'), { recursive: true })
  writeFileSync(join(hosts, '_default', 'hosts.toml'), `[host."${mirror}"]\ncapabilities = ["pull", "resolve"]\n`)

  const ctr = async (...args: string[]): Promise<string> =>
    (await runTool('containerd-2/ctr', ['--address', daemon.socket, ...args])).stdout

  const digestOf = async (name: string): Promise<string> => {
    const [, line = ''] = (await ctr('images', 'list', `name==${name}`)).split('\n')
    return line.split(/\s+/)[2] ?? ''
  }
  const fetch = async (name: string): Promise<string> => {
    await ctr('content', 'fetch', '--hosts-dir', hosts, '--all-platforms', name)
    return digestOf(name)
  }
  const pull = async (reference: string): Promise<string[]> => {
    const name = `docker.io/${reference}`
    await ctr('images', 'pull', '--hosts-dir', hosts, name)
    const read = async (digest: string): Promise<unknown> => JSON.parse(await ctr('content', 'get', digest)) as unknown
    return (await partsBelow(await digestOf(name), read)).diffIds
  }
  return { ctr, fetch, pull }
}

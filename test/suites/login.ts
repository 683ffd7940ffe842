import { expect, it } from 'vitest'
import { createToken } from '../helpers/cli.ts'
import { partsBelow } from '../helpers/image-parts.ts'
import { busyboxImage } from '../helpers/images.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, passwordOf, startWithUsers } from '../helpers/login.ts'
import { runTool } from '../helpers/tools.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startUpstream } from '../helpers/upstream.ts'

/** A client on a machine of its own, on which nobody has logged in. Each method rejects when the client says it failed. */
export interface LoginClient {
  login: (user: string, password: string) => Promise<unknown>
  logout: () => Promise<unknown>
  pull: (image: string) => Promise<unknown>
  /** Copies an image of Berth's to another name there. */
  push: (from: string, to: string) => Promise<unknown>
}

export interface LoginTraits {
  /** Its login only keeps what it is given. */
  checksNothing?: true
}

/** What the tests need besides the client. */
export const loginTools = ['busybox', 'zstd', 'crane']

/** What every client's user can count on. `start` makes a client for the registry at `host`, `127.0.0.1:12345`. */
export function testLogin(start: (host: string) => Promise<LoginClient>, { checksNothing }: LoginTraits = {}): void {
  const login = checksNothing ? 'keeps the login' : 'logs in, and not with a wrong password'
  it(`${login}; pulls and pushes what is private; and is nobody after the logout`, { timeout: 90_000 }, async () => {
    const { host, exists } = await startScene()
    const client = await start(host)
    await expect(client.pull(`${host}/team/app:1`)).rejects.toThrow()
    if (!checksNothing) await expect(client.login('bob', 'wrong')).rejects.toThrow(/unauthorized|wrong|401|incorrect/i)
    await client.login('bob', passwordOf('bob'))
    await client.pull(`${host}/team/app:1`)
    await client.push(`${host}/team/app:1`, `${host}/team/new:1`)
    expect(await exists('team/new')).toBe(true)
    await expect(client.push(`${host}/team/app:1`, `${host}/ann/new:1`)).rejects.toThrow()
    await client.logout()
    await expect(client.pull(`${host}/team/new:1`)).rejects.toThrow()
  })

  it('pulls what is public, of here and of upstreams, without a login', { timeout: 60_000 }, async () => {
    const { host } = await startScene()
    const client = await start(host)
    await client.pull(`${host}/team/open:1`)
    await client.pull(`${host}/docker.io/library/busybox:1`)
  })

  it('logs in with a robot’s token, which opens what it is for and nothing else', { timeout: 60_000 }, async () => {
    const { host, robot } = await startScene()
    const client = await start(host)
    await client.login('robot', robot)
    await client.pull(`${host}/team/app:1`)
    await expect(client.push(`${host}/team/app:1`, `${host}/team/new:1`)).rejects.toThrow()
  })
}

async function startScene() {
  const upstream = await startUpstream({ content: { 'library/busybox': busyboxImage() } })
  const repository = upstream.content.in('library/busybox')
  await partsBelow(repository.digest('1'), (digest) => repository.json(digest))
  const berth = await startWithUsers({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
  const { host, url, data } = berth
  const robot = await createToken(data, 'team', 'team/app:pull')
  const home = makeFolder()
  const env = { HOME: home }
  await runTool('crane', ['auth', 'login', host, '-u', 'ann', '-p', passwordOf('ann')], { env })
  for (const name of ['team/app', 'team/open']) {
    await runTool('crane', ['copy', `${host}/docker.io/library/busybox:1`, `${host}/${name}:1`], { env })
  }
  const exists = async (name: string) =>
    (await fetchRaw(`${url}/v2/${name}/manifests/1`, { headers: basic('root') })).status === 200
  const deadline = Date.now() + 5_000
  while ((await fetchRaw(`${url}/v2/`, { headers: basic('robot', robot) })).status !== 200) {
    expect(Date.now()).toBeLessThan(deadline)
  }
  return { host, robot, exists }
}

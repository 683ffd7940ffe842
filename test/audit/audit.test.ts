import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { berthCli, createToken, addUser } from '../helpers/cli.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { ask, startProxying, tunnelManifest } from '../helpers/tunnels.ts'

interface Line {
  at: string
  action: string
  user?: string
  address?: string
  name?: string
  detail?: string
  count: number
}

/** What `berth audit` prints of a data folder. */
async function audit(data: string, ...argv: string[]): Promise<Line[]> {
  const said = await berthCli(data, ['audit', ...argv])
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

const briefly = (lines: Line[]) => lines.map(({ action, user, name, detail }) => ({ action, user, name, detail }))

async function startScene(options: BerthOptions = {}) {
  const data = join(makeFolder(), 'data')
  await addUser(data, 'ann', 'correct horse')
  const berth = await startBerth({ data, ...options })
  return { data, berth, pusher: new Pusher(berth.url, 'ann/app', basic('ann', 'correct horse')) }
}

describe('the audit log', () => {
  it('tells who pushed, pulled and deleted what, from where', async () => {
    const { data, berth, pusher } = await startScene()
    const digest = await pusher.image('1', 'layer')
    expect(await pusher.status('manifests/1')).toBe(200)
    await pusher.send('DELETE', 'manifests/1')
    await berth.stop()
    const lines = await audit(data, '--user', 'ann')
    expect(briefly(lines)).toEqual([
      { action: 'login', user: 'ann', detail: 'password', name: undefined },
      { action: 'push', user: 'ann', name: 'ann/app', detail: '1' },
      { action: 'delete', user: 'ann', name: 'ann/app', detail: '1' },
      { action: 'pull', user: 'ann', name: 'ann/app', detail: '1' },
    ])
    expect(lines.every(({ address }) => address === '127.0.0.1')).toBe(true)
    expect(digest).toMatch(/^sha256:/)
  })

  it('tells who pulled through the HTTPS proxy, from where', async () => {
    const { berth } = await startProxying()
    await addUser(berth.data, 'ann', 'correct horse')
    const { authorization } = basic('ann', 'correct horse')
    const proxyHeaders = `Proxy-Authorization: ${authorization}\r\n`
    expect((await ask(berth, tunnelManifest, { proxyHeaders })).status).toBe(200)
    await berth.stop()
    expect(await audit(berth.data, '--action', 'pull')).toMatchObject([
      { user: 'ann', address: '127.0.0.1', name: 'quay.test/org/app', detail: '1' },
    ])
  })

  it('counts pulls that are the same, and keeps others apart', async () => {
    const { data, berth, pusher } = await startScene()
    await pusher.image('1', 'layer')
    for (let i = 0; i < 5; i++) await pusher.status('manifests/1')
    await pusher.send('HEAD', 'manifests/1')
    await pusher.status(
      `manifests/${(await pusher.send('HEAD', 'manifests/1')).headers['docker-content-digest'] as string}`,
    )
    await berth.stop()
    const pulls = await audit(data, '--action', 'pull', '--name', 'ann/app')
    expect(pulls.map(({ detail, count }) => [detail!.slice(0, 7), count])).toEqual([
      ['1', 5],
      ['sha256:', 1],
    ])
  })

  it('tells of logins that were refused, never what was tried', async () => {
    const { data, berth } = await startScene()
    await fetchRaw(`${berth.url}/v2/`, { headers: basic('ann', 'wrong horse') })
    const lines = await audit(data, '--action', 'login refused')
    expect(lines).toMatchObject([{ user: 'ann', detail: 'wrong', address: '127.0.0.1' }])
    expect(JSON.stringify(await audit(data))).not.toContain('horse')
  })

  it('tells what the command line changed, and holds no token', async () => {
    const data = join(makeFolder(), 'data')
    await addUser(data, 'ann', 'correct horse')
    const token = await createToken(data, 'ann', '**:pull')
    const lines = await audit(data)
    expect(briefly(lines)).toMatchObject([
      { action: 'account changed', user: 'command line', name: 'ann', detail: 'added' },
      {
        action: 'token created',
        user: 'command line',
        name: 'ann',
        detail: expect.stringContaining('**:pull') as string,
      },
    ])
    expect(lines.map(({ address }) => address)).toEqual(
      lines.map(() => expect.stringMatching(/^local user \S/) as string),
    )
    expect(JSON.stringify(lines)).not.toContain(token)
  })

  it('is written as things happen, pulls apart: a kill loses no push', async () => {
    const { data, pusher } = await startScene()
    await pusher.image('1', 'layer')
    expect(await audit(data, '--action', 'push')).toMatchObject([{ name: 'ann/app', detail: '1' }])
  })

  it('is never changed: the database refuses it', async () => {
    const data = join(makeFolder(), 'data')
    await addUser(data, 'ann', 'correct horse')
    const database = new Database(join(data, 'berth.db'))
    expect(() => database.exec("UPDATE audit SET user = 'nobody'")).toThrow('never changed')
    database.close()
  })

  it('lets go what is older than it is kept', async () => {
    const clock = makeClock(Date.now())
    const { data, berth } = await startScene({ audit: { keep: '7d' } })
    await berth.stop()
    expect(await audit(data)).not.toEqual([])
    clock.advance(8 * 24 * 3_600_000)
    await startBerth({ data, clock, audit: { keep: '7d' } })
    expect(await audit(data)).toEqual([])
  })

  it('is printed from a time on', async () => {
    const { data } = await startScene()
    expect(await audit(data, '--since', '1d')).not.toEqual([])
    expect(await audit(data, '--since', '2100-01-01')).toEqual([])
    expect(await berthCli(data, ['audit', '--since', 'soon'])).toMatch(/must be a date.*exit code 2$/s)
  })
})

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { Pusher, startHosting } from '../helpers/push.ts'

/** `berth` on a data folder; what it printed, with its exit code when that is not 0. */
async function berth(data: string, ...argv: string[]): Promise<string> {
  let out = ''
  const write = (text: string) => void (out += text)
  const env = { BERTH_STORAGE_DATA: data }
  const code = await runCli(argv, { out: write, err: write, env })
  return code === 0 ? out : `${out}exit code ${code}`
}

describe('berth namespace', () => {
  it('adds, lists and removes', async () => {
    const data = join(makeFolder(), 'data')
    expect(await berth(data, 'namespace', 'add', 'alice')).toContain('alice is hosted here now')
    expect(await berth(data, 'namespace', 'add', 'alice')).toContain('already')
    expect(await berth(data, 'namespace', 'list')).toBe('alice\n')
    expect(await berth(data, 'namespace', 'remove', 'alice')).toContain('no more')
    expect(await berth(data, 'namespace', 'list')).toBe('')
    const noted = (await berth(data, 'audit'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(noted).toEqual([
      expect.objectContaining({ action: 'namespace added', user: 'command line', name: 'alice' }),
      expect.objectContaining({ action: 'namespace removed', user: 'command line', name: 'alice' }),
    ])
  })

  it.each(['Alice', 'a/b', 'docker.io', '', '-a'])('refuses %j with exit code 1', async (name) => {
    expect(await berth(join(makeFolder(), 'data'), 'namespace', 'add', '--', name)).toMatch(/must be .*exit code 1$/s)
  })

  it('is seen by a running server within a moment, and keeps a namespace with content', async () => {
    const { url, data } = await startHosting()
    const pusher = new Pusher(url, 'alice/app')
    expect((await pusher.send('POST', 'blobs/uploads/')).status).toBe(403)
    await berth(data, 'namespace', 'add', 'alice')
    const deadline = Date.now() + 5_000
    while ((await pusher.send('POST', 'blobs/uploads/')).status !== 202) expect(Date.now()).toBeLessThan(deadline)
    await pusher.image('1', 'layer')
    expect(await berth(data, 'namespace', 'remove', 'alice')).toMatch(/1 repository.*exit code 1$/s)
  })
})

describe('berth collect', () => {
  it('tells with --dry-run what would go and why, and removes it without, beside a running server', async () => {
    const hosted = { namespaces: ['team'], collection: { grace: '0s', untagged: '0s' } }
    const { url, data } = await startHosting({ hosted })
    const pusher = new Pusher(url)
    const digest = await pusher.image('1', 'layer')
    await pusher.send('DELETE', 'manifests/1')
    const dry = await berth(data, 'collect', '--dry-run')
    expect(dry).toContain(`team/app  manifest ${digest}  no tag, index, subject or referrer leads to it`)
    expect(dry).toContain('3 things')
    expect(await pusher.status(`manifests/${digest}`)).toBe(200)
    // It was pulled by digest just now, which counts as a use a little later.
    await berth(data, 'collect')
    expect(await pusher.status(`manifests/${digest}`)).toBe(404)
    expect(await berth(data, 'collect')).toBe('nothing to collect\n')
    const collected = (await berth(data, 'audit')).split('\n').filter((line) => line.includes('"collect"'))
    expect(collected).toEqual([expect.stringContaining('3 things'), expect.stringContaining('0 things')])
  })
})

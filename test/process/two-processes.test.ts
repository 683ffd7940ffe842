import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { Pusher } from '../helpers/push.ts'
import { makeHostingHome, serve } from './serving.ts'

/** Another process that has the database's write lock until its input ends. */
async function startLocking(home: string): Promise<{ release(): Promise<void> }> {
  const module = import.meta.resolve('better-sqlite3')
  const script = `
    import Database from '${module}'
    const database = new Database(process.argv[1])
    database.exec('BEGIN IMMEDIATE')
    console.log('locked')
    process.stdin.on('end', () => database.exec('COMMIT')).resume()`
  const args = ['--input-type=module', '-e', script, path.join(home, 'data', 'berth.db')]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return {
    async release() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

describe('while another process writes to the database (case 65)', () => {
  it('pushes wait and succeed, and pulls do not even wait', { timeout: 60_000 }, async () => {
    const home = makeHostingHome()
    const { url } = await serve(home)
    const pusher = new Pusher(url)
    await pusher.image('before', 'layer')
    const locking = await startLocking(home)
    const pushed = Promise.all(['a', 'b', 'c'].map((tag) => pusher.image(tag, `layer ${tag}`)))
    const pulls: number[] = []
    for (let i = 0; i < 50; i++) {
      const began = performance.now()
      expect(await pusher.status('manifests/before')).toBe(200)
      pulls.push(performance.now() - began)
    }
    // A write that blocks the event loop for the lock would hold up those that come meanwhile by 250 ms each.
    expect(pulls.sort((a, b) => a - b)[40]).toBeLessThan(200)
    expect(await pusher.status('manifests/a')).toBe(404)
    await locking.release()
    await pushed
    for (const tag of ['a', 'b', 'c']) expect(await pusher.status(`manifests/${tag}`)).toBe(200)
  })

  it('berth collect and berth namespace fail no push, and no push fails them', { timeout: 120_000 }, async () => {
    const home = makeHostingHome()
    const { url } = await serve(home)
    const pusher = new Pusher(url)
    let done = false
    const pushing = (async () => {
      let count = 0
      for (; !done; count++) await pusher.image(`t${count}`, `layer ${count}`)
      return count
    })()
    for (const argv of [['collect'], ['namespace', 'add', 'crew'], ['collect', '--dry-run'], ['namespace', 'list']]) {
      const { ended, child } = startBerth(argv, home)
      expect([argv, (await ended).code, child.exitCode]).toEqual([argv, 0, 0])
    }
    done = true
    const count = await pushing
    expect(count).toBeGreaterThan(3)
    for (let i = 0; i < count; i++) expect(await pusher.status(`manifests/t${i}`)).toBe(200)
  })
})

import path from 'node:path'
import { expect, it } from 'vitest'
import { Pusher, sha256 } from '../helpers/push.ts'
import { describeTool } from '../helpers/tools.ts'
import { makeHostingHome, serve } from './serving.ts'
import { attachStrace } from './strace.ts'

/** Milliseconds that the disk takes for each sync. */
const slow = 1_000

describeTool('a disk that takes seconds for each sync', { tools: ['strace'], root: true }, () => {
  it('keeps nobody waiting who reads, however many push', { timeout: 60_000 }, async () => {
    const home = makeHostingHome()
    const { url, berth } = await serve(home)
    const pusher = new Pusher(url)
    const layer = Buffer.alloc(2 * 1024 * 1024, 1)
    await pusher.image('1', layer)
    const delay = `inject=fsync,fdatasync:delay_enter=${slow * 1000}`
    await attachStrace(berth.child.pid!, path.join(home, 'trace'), ['-e', 'trace=fsync,fdatasync', '-e', delay])

    const pushes = Array.from({ length: 6 }, (_, i) => pusher.blob(`layer ${i}`))
    let done = false
    const all = Promise.all(pushes).finally(() => (done = true))
    const waits: number[] = []
    while (!done) {
      const started = performance.now()
      const answer = await fetch(`${url}/v2/team/app/blobs/${sha256(layer)}`)
      await answer.arrayBuffer()
      expect(answer.status).toBe(200)
      waits.push(performance.now() - started)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect((await all).map(({ status }) => status)).toEqual(pushes.map(() => 201))
    expect(Math.max(...waits)).toBeLessThan(slow / 2)
  })
})

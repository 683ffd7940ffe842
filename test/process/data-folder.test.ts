import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { imageOf, Pusher } from '../helpers/push.ts'
import { describeTool } from '../helpers/tools.ts'
import { makeHostingHome, serve } from './serving.ts'
import { attachStrace } from './strace.ts'

describeTool('strace', { tools: ['strace'], root: true }, () => {
  it(
    'sees files written in the data folder and nowhere else: the rest may be read-only',
    { timeout: 60_000 },
    async () => {
      const home = makeHostingHome()
      const { url, berth } = await serve(home)
      const pusher = new Pusher(url)
      const layers = Array.from({ length: 10 }, (_, i) => `layer ${i}`)
      await pusher.image('first', ...layers)
      const trace = path.join(home, 'trace')
      const stop = await attachStrace(berth.child.pid!, trace, ['-e', 'trace=open,openat,creat,mkdir,mkdirat,rename'])
      // So many at once that a transaction changes more pages than SQLite keeps in memory to undo a part of it.
      for (let i = 0; i < 40; i++) {
        const manifests = Array.from({ length: 12 }, (_, k) => ({ tag: `t${i}-${k}`, annotations: { n: `${i} ${k}` } }))
        const answers = await Promise.all(
          manifests.map(({ tag, annotations }) => pusher.manifest(tag, { ...imageOf('{}', ...layers), annotations })),
        )
        expect(answers.map(({ status }) => status)).toEqual(manifests.map(() => 201))
      }
      expect((await pusher.blob('another layer')).status).toBe(201)
      await stop()
      const writes = readFileSync(trace, 'utf8').match(/.*(O_WRONLY|O_RDWR|O_CREAT|mkdir|rename|creat\().*/g) ?? []
      expect(writes.length).toBeGreaterThan(0)
      const elsewhere = writes.filter((call) => !call.includes(`"${path.join(home, 'data')}/`))
      expect(elsewhere).toEqual([])
    },
  )
})

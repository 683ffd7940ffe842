import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { Pusher, sha256 } from '../helpers/push.ts'
import { describeTool } from '../helpers/tools.ts'
import { makeHostingHome, serve } from './serving.ts'
import { attachStrace } from './strace.ts'

// File systems differ in what one sync takes along (ext4 most of all): each of them is looked for here.

describeTool('strace', { tools: ['strace'], root: true }, () => {
  it('sees content, names and rows synced, in this order, before the 201 of a blob is written', async () => {
    const home = makeHostingHome()
    const { url, berth } = await serve(home)
    const stop = await trace(berth.child.pid!, path.join(home, 'trace'))
    const text = 'a layer'
    expect((await new Pusher(url).blob(text)).status).toBe(201)
    const hex = sha256(text).slice(7)
    const blobs = path.join(home, 'data', 'blobs', 'sha256')
    const order = [
      /^fdatasync\(\d+<.*\/uploads\/[0-9a-f-]{36}>/,
      new RegExp(`^rename\\(".*/uploads/[0-9a-f-]{36}", "${blobs}/${hex.slice(0, 2)}/${hex}"`),
      new RegExp(`^fsync\\(\\d+<${blobs}/${hex.slice(0, 2)}>`),
      new RegExp(`^fsync\\(\\d+<${blobs}>`),
      /^fdatasync\(\d+<.*\/berth\.db-wal>/,
      /^(?:write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 201 /,
    ]
    const calls = await stop()
    const places = order.map((pattern) => calls.findIndex((call) => pattern.test(call)))
    expect(places, calls.join('\n')).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })
})

/** Watches a process's system calls; the function returned stops that and tells them, each at the place where it ended. */
async function trace(pid: number, file: string): Promise<() => Promise<string[]>> {
  const calls = 'trace=fsync,fdatasync,/^rename,write,writev,sendto,sendmsg'
  const stop = await attachStrace(pid, file, ['-y', '-s', '32', '-e', calls])
  return async () => {
    await stop()
    const begun = new Map<string, string>()
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
        if (call.endsWith('<unfinished ...>')) begun.set(thread, call)
        else return [call.startsWith('<...') ? (begun.get(thread) ?? '') : call]
        return []
      })
  }
}

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { sha256 } from '../helpers/push.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 64 * mebibyte

describeTool('a large blob by several curls at once', { tools: ['curl'] }, () => {
  it('is the same for the fast, the slow, who begins late and who asks for a part, and comes once', async () => {
    const content = { 'org/app': { blobs: { big: { size, seed: 5 } } } }
    const upstream = await startUpstream({ content, bytesPerSecond: 40 * mebibyte })
    const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
    const digest = upstream.content.digest('org/app', 'big')
    const folder = makeFolder()
    const get = async (name: string, ...options: string[]) => {
      const file = path.join(folder, name)
      const url = `${berth.url}/v2/org/app/blobs/${digest}`
      await runTool('curl', ['--silent', '--fail', '--output', file, ...options, url])
      return file
    }
    const late = new Promise((resolve) => setTimeout(resolve, 150)).then(() => get('late'))
    const files = await Promise.all([
      ...['a', 'b', 'c', 'd'].map((name) => get(name)),
      get('slow', '--limit-rate', '24M'),
      get('part', '--range', `0-${size - 1}`),
      late,
    ])
    // Only now: it would stop the event loop that Berth and its upstream share with this test.
    expect(files.map((file) => sha256(readFileSync(file)))).toEqual(files.map(() => digest))
    expect(upstream.sentAgain(digest)).toBe(0)
  })
})

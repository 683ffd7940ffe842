import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { openRaw } from '../helpers/http.ts'
import { startBerth, type RunningBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Clients that leave, and uploads that are refused while their body still comes (case 66: honojs/node-server #246,
// undici #3230, genuinetools/reg #197): answers come at once, and nothing piles up.

const times = 100
const chunk = Buffer.alloc(64 * 1024)

async function start() {
  const layer = { size: 8 * 1024 * 1024, seed: 1 }
  const upstream = await startUpstream({
    content: {
      'library/node': { blobs: { layer }, manifests: { m: { config: 'layer', layers: ['layer'] } }, tags: { 20: 'm' } },
    },
  })
  const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
  return {
    upstream,
    berth,
    blob: `${berth.url}/v2/library/node/blobs/${upstream.content.digest('library/node', 'layer')}`,
  }
}

const openFiles = () => readdirSync('/proc/self/fd').length

/** Waits until what is open is about what was open before. */
async function expectClosed(before: number): Promise<void> {
  await vi.waitFor(() => expect(openFiles()).toBeLessThan(before + 10), { timeout: 10_000, interval: 50 })
}

/** Uploads without an end, for as long as the server takes it; what it answered, when it has closed the connection. */
async function uploadForEver(berth: RunningBerth): Promise<string> {
  const socket = connect(Number(new URL(berth.url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
  socket.on('error', () => {})
  const head = 'POST /v2/library/node/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n'
  socket.write(head)
  pour(socket)
  // Not once(): the reset that ends it is no failure here.
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

function pour(socket: Socket): void {
  while (!socket.destroyed && socket.writable && socket.write(chunk));
  socket.once('drain', () => pour(socket))
}

describe.skipIf(process.platform !== 'linux')('nothing stays open (counted in /proc, on Linux)', () => {
  it('after uploads that were refused with their body still coming', async () => {
    const { berth } = await start()
    const before = openFiles()
    const answers = await Promise.all(Array.from({ length: times }, () => uploadForEver(berth)))
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/)
      expect(answer).toMatch(/\r\nConnection: close\r\n/i)
    }
    await expectClosed(before)
  })

  it('after downloads that clients left in the middle', async () => {
    const { berth, blob } = await start()
    const before = openFiles()
    for (let i = 0; i < times; i++) {
      const answer = await openRaw(blob)
      await answer.read(1000)
      answer.destroy()
    }
    await expectClosed(before)
    expect((await openRaw(`${berth.url}/v2/`)).status).toBe(200)
  })

  it('after clients that left before an answer', async () => {
    const { upstream, blob } = await start()
    const release = upstream.hold(/blobs/)
    const before = openFiles()
    const leaving = Array.from({ length: times }, async () => {
      const signal = AbortSignal.timeout(200)
      await openRaw(blob, { signal }).catch(() => undefined)
    })
    await Promise.all(leaving)
    release()
    await expectClosed(before)
  })
})

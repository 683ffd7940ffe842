import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../src/listen.ts'

const patience = { headers: 600, idle: 400, keepAlive: 5_000, look: 50 }

/** A server that reads bodies to their end, with less patience than Berth has. `answer` is what it says then. */
async function start(answer: () => Response | Promise<Response> = () => new Response('done')) {
  const read: Buffer[] = []
  const listener = await listen(
    async (_, { incoming }) => {
      for await (const chunk of incoming) read.push(chunk as Buffer)
      return answer()
    },
    { host: '127.0.0.1', port: 0 },
    {},
    patience,
  )
  onTestFinished(() => listener.close(0))
  return { port: Number(new URL(listener.url).port), read: () => Buffer.concat(read).length }
}

/** A connection of which the test sees when it ends, and what came until then. */
function open(port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {}).on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  onTestFinished(() => void socket.destroy())
  return { socket, text: () => text, closed: once(socket, 'close') }
}

/** Sends a byte again and again, at intervals of which each is shorter than any patience, until the connection ends. */
function dribble(socket: Socket, byte: string, interval = 100): void {
  const timer = setInterval(() => socket.write(byte), interval)
  socket.once('close', () => clearInterval(timer))
}

describe('a client that sends', () => {
  it('headers byte by byte is told 408 and cut off', async () => {
    const { port } = await start()
    const { socket, text, closed } = open(port)
    socket.write('GET /v2/ HTTP/1.1\r\nX-Slow: ')
    dribble(socket, 'a')
    await closed
    expect(text()).toMatch(/^HTTP\/1\.1 408 [\s\S]*"errors":\[\{"code":"UNSUPPORTED"/)
  })

  it('nothing at all is cut off', async () => {
    const { port } = await start()
    await open(port).closed
  })

  it('a body slowly, in many times the time that a pause may take, is served', async () => {
    const { port, read } = await start()
    const { socket, text } = open(port)
    socket.write('PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n')
    dribble(socket, 'a')
    const started = performance.now()
    await once(socket, 'data')
    expect(performance.now() - started).toBeGreaterThan(4 * patience.idle)
    expect([text().split('\r\n')[0], read()]).toEqual(['HTTP/1.1 200 OK', 20])
  })

  it.each(['PATCH', 'PUT', 'POST'])('half a body by %s and then nothing is cut off', async (method) => {
    const { port, read } = await start()
    const { socket, closed } = open(port)
    socket.write(`${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0123456789`)
    await closed
    expect(read()).toBe(10)
  })
})

describe('a client that waits', () => {
  it('for an answer that takes long is not cut off', async () => {
    const { port } = await start(
      () => new Promise((resolve) => setTimeout(() => resolve(new Response('late')), 4 * patience.idle)),
    )
    const { socket, text } = open(port)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    expect(text()).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('with reading an answer, for longer than a pause may take, is cut off', async () => {
    let cancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(256 * 1024)),
      cancel: () => void (cancelled = true),
    })
    const { port } = await start(() => new Response(endless))
    const { socket, closed } = open(port)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    await expect.poll(() => cancelled, { timeout: 5_000 }).toBe(true)
    socket.resume()
    await closed
  })
})

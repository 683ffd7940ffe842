import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Body } from '../../src/upstream/body.ts'

/** A connection that sends what it is told to, unless it is paused. */
function makeBody(length = Infinity) {
  const connection = {
    paused: false,
    aborted: false,
    pause: () => void (connection.paused = true),
    resume: () => void (connection.paused = false),
    abort: () => void (connection.aborted = true),
  }
  const body = new Body(connection, length)
  return { body, connection }
}

describe('a body', () => {
  const sizes = fc.integer({ min: 1, max: 128 * 1024 })

  it('comes out as it came in, whatever the pieces, and holds no more than is read ahead', async () => {
    const pieces = fc.array(fc.record({ comes: sizes, read: fc.option(sizes) }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (steps, told) => {
        const total = steps.reduce((sum, { comes }) => sum + comes, 0)
        const sent = Buffer.alloc(total, 'a body of letters that tell where they stand')
        const { body, connection } = makeBody(told ? total : Infinity)
        const got: Buffer[] = []
        const read = async (bytes: number) => {
          const into = Buffer.alloc(bytes)
          const length = await body.read(into)
          got.push(into.subarray(0, length))
          return length
        }
        let at = 0
        let waiting = 0
        for (const step of steps) {
          while (connection.paused) waiting -= await read(100_000)
          body.arrived(Buffer.from(sent.subarray(at, at + step.comes)))
          at += step.comes
          waiting += step.comes
          expect(waiting).toBeLessThanOrEqual(192 * 1024)
          if (step.read !== null) waiting -= await read(step.read)
        }
        body.ended()
        while ((await read(100_000)) > 0);
        expect(Buffer.concat(got).equals(sent)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('is a copy: what came may be overwritten by its connection', async () => {
    const { body } = makeBody()
    const chunk = Buffer.from('first')
    body.arrived(chunk)
    chunk.fill('x')
    const into = Buffer.alloc(5)
    await body.read(into)
    expect(into.toString()).toBe('first')
  })

  it('tells who waits for it how it broke off, after what came before', async () => {
    const { body } = makeBody()
    body.arrived(Buffer.from('abc'))
    body.failed(new Error('cut'))
    expect(await body.read(Buffer.alloc(9))).toBe(3)
    await expect(body.read(Buffer.alloc(9))).rejects.toThrow('cut')
  })

  it('tells who waits for it that it was closed, and breaks the transfer off', async () => {
    const { body, connection } = makeBody()
    const reading = body.read(Buffer.alloc(9))
    body.destroy()
    await expect(reading).rejects.toThrow('closed')
    expect(connection.aborted).toBe(true)
  })

  it('that nobody wants is read to its end when it is short, and broken off when it is not', () => {
    const short = makeBody(5)
    short.body.drop()
    short.body.arrived(Buffer.from('short'))
    short.body.ended()
    expect(short.connection.aborted).toBe(false)

    const long = makeBody(100_000)
    long.body.drop()
    expect(long.connection.aborted).toBe(true)

    const unknown = makeBody()
    unknown.body.drop()
    unknown.body.arrived(Buffer.alloc(60_000))
    expect(unknown.connection.aborted).toBe(false)
    unknown.body.arrived(Buffer.alloc(60_000))
    expect(unknown.connection.aborted).toBe(true)
  })
})

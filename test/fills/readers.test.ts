import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseDigest } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import type { Blob } from '../../src/oci/registry.ts'
import { openNetwork, upstreamRegistry } from '../../src/upstream/upstream.ts'
import { readAll, startCached, type CachedOptions } from '../helpers/cached.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 4 * mebibyte
const blobs = /blobs/

async function startBoth(options: Omit<UpstreamOptions, 'content'> = {}, cachedOptions: CachedOptions = {}) {
  const content = {
    app: {
      blobs: { config: '{}', big: { size, seed: 2 }, small: { size: 5000, seed: 3 } },
      manifests: { m: { config: 'config', layers: ['big', 'small'] } },
      tags: { 1: 'm' },
    },
  }
  const upstream = await startUpstream({ ...options, content })
  const cached = await startCached(upstream, cachedOptions)
  await cached.manifest('app', '1')
  const big = upstream.content.digest('app', 'big')
  return { upstream, cached, big, bytes: upstream.content.bytes('app', 'big') }
}

describe('readers of one fill', () => {
  it('16 at once cost one request, and no byte twice (case 16, distribution 4664, bazel-remote 318)', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const all = await Promise.all(Array.from({ length: 16 }, () => cached.read('app', big)))
    expect(all.every((got) => bytes.equals(got))).toBe(true)
    expect(upstream.requests.filter((line) => blobs.test(line))).toHaveLength(1)
    expect(upstream.sentAgain(big)).toBe(0)
    await cached.expectNothingLeft()
  })

  it('get the first bytes before the upstream has sent the last', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(blobs, mebibyte)
    const blob = await cached.open('app', big)
    const buffer = Buffer.alloc(1000)
    const got = await blob.read(buffer)
    expect(buffer.subarray(0, got).equals(bytes.subarray(0, got))).toBe(true)
    release()
    blob.close()
    await cached.expectNothingLeft()
  })

  it('who come late share the fill that runs, and read what it has at their own pace', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(blobs, 2 * mebibyte)
    const first = await cached.open('app', big)
    await first.read(Buffer.alloc(1000))
    const late = cached.read('app', big)
    release()
    expect(bytes.equals(await late)).toBe(true)
    first.close()
    expect(upstream.count(blobs)).toBe(1)
    await cached.expectNothingLeft()
  })

  it('who hang up leave the others and the fill as they are', async () => {
    const { upstream, cached, big, bytes } = await startBoth()
    const release = upstream.hold(blobs, mebibyte)
    const leaving = await cached.open('app', big)
    const waiting = readAll(await cached.open('app', big))
    await leaving.read(Buffer.alloc(10))
    leaving.close()
    release()
    expect(bytes.equals(await waiting)).toBe(true)
    expect(upstream.count(blobs)).toBe(1)
    await cached.expectNothingLeft()
  })

  it('who hang up while they wait are let go at once', async () => {
    const { upstream, cached, big } = await startBoth()
    const release = upstream.hold(blobs, mebibyte)
    const blob = await cached.open('app', big)
    const reading = readAll(blob)
    await upstream.until(({ bytesSent }) => bytesSent >= mebibyte)
    blob.close()
    await expect(reading).rejects.toThrow(/left/)
    release()
    await cached.expectNothingLeft()
  })

  it(
    'in any interleaving of joining, leaving, seeking and being slow each get exactly the right bytes',
    { timeout: 120_000 },
    async () => {
      const reader = fc.record({
        joinAfter: fc.nat(size),
        start: fc.option(fc.nat(size - 1), { nil: undefined }),
        bufferSize: fc.constantFrom(1, 2, 1000, 65_536, mebibyte),
        slow: fc.boolean(),
        leaveAfter: fc.option(fc.nat(200_000), { nil: undefined }),
      })
      const cuts = fc.array(fc.integer({ min: 200_000, max: size }), { maxLength: 3 })
      const parallelThreshold = fc.constantFrom(mebibyte, 16 * mebibyte)
      const complete = fc.constantFrom('always' as const, 'when-read' as const, 'never' as const)
      const readers = fc.array(reader, { minLength: 1, maxLength: 5 })
      await fc.assert(
        fc.asyncProperty(
          readers,
          cuts,
          parallelThreshold,
          complete,
          async (readers, cuts, parallelThreshold, complete) => {
            const faults = cuts.map((cutAfter) => ({ on: blobs, cutAfter, times: 1 }))
            const { upstream, cached, big, bytes } = await startBoth(
              { faults },
              { fill: { parallelThreshold, complete } },
            )
            await Promise.all(
              readers.map(async ({ joinAfter, start, bufferSize, slow, leaveAfter = Infinity }) => {
                await turns(joinAfter % 50)
                const range = start === undefined ? undefined : { start, end: Math.min(size, start + 300_000) }
                const blob = await cached.open('app', big, range)
                const expected = range ? bytes.subarray(range.start, range.end) : bytes
                // Single bytes are read for a while only: a million of them would take a while.
                const most = Math.min(leaveAfter, bufferSize < 1000 ? 500 : Infinity)
                await expectReads(blob, { expected, bufferSize, slow, most })
              }),
            )
            await cached.settled()
            expect(upstream.sentAgain(big)).toBeLessThanOrEqual((cuts.length + readers.length) * 2 * mebibyte)
            if (complete === 'always') await cached.expectNothingLeft()
            expect(bytes.equals(await cached.read('app', big))).toBe(true)
            await cached.expectNothingLeft()
            await cached.stop()
            await upstream.stop()
          },
        ),
        { numRuns: process.env.CI ? 100 : 20 },
      )
    },
  )
})

describe('when a fill goes on without readers', () => {
  const leaveEarly = async (complete: 'always' | 'when-read' | 'never') => {
    const both = await startBoth({}, { fill: { complete } })
    const release = both.upstream.hold(blobs, mebibyte)
    const blob = await both.cached.open('app', both.big)
    await both.upstream.until(({ bytesSent }) => bytesSent >= mebibyte)
    await blob.read(Buffer.alloc(10))
    blob.close()
    release()
    await both.cached.settled()
    return both
  }

  it('always: the whole blob is kept though its only client left', async () => {
    const { cached, big, bytes } = await leaveEarly('always')
    expect((await cached.stored(big))?.equals(bytes)).toBe(true)
    await cached.expectNothingLeft()
  })

  it.each(['when-read', 'never'] as const)('%s: it stops, and the next client resumes it', async (complete) => {
    const { upstream, cached, big, bytes } = await leaveEarly(complete)
    expect(await cached.stored(big)).toBeUndefined()
    expect(cached.partialFiles).toHaveLength(2)
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    expect(upstream.received.at(-1)?.headers.range).toMatch(/^bytes=\d{5,}-/)
    await cached.expectNothingLeft()
  })
})

describe('blobs out of the ordinary', () => {
  it('the empty blob is pulled and kept (case 54, distribution-spec 577)', async () => {
    const upstream = await startUpstream({ content: { app: { blobs: { empty: '' } } } })
    const cached = await startCached(upstream)
    const empty = upstream.content.digest('app', 'empty')
    expect(await cached.read('app', empty)).toHaveLength(0)
    await cached.settled()
    expect(await cached.read('app', empty)).toHaveLength(0)
    expect(upstream.count(/blobs.* 200/)).toBe(1)
    await cached.expectNothingLeft()
  })

  it.each([5000, 3 * mebibyte])(
    '%d bytes of unknown size come whole, and their size is learnt (case 27)',
    async (size) => {
      const content = { app: { blobs: { odd: { size, seed: 4 } } } }
      const upstream = await startUpstream({ content, quirks: { chunked: true } })
      const cached = await startCached(upstream)
      const odd = upstream.content.digest('app', 'odd')
      const blob = await cached.open('app', odd)
      expect(blob.size).toBeUndefined()
      expect((await readAll(blob)).equals(upstream.content.bytes('app', 'odd'))).toBe(true)
      await cached.settled()
      await cached.read('app', odd)
      upstream.forget()
      const warm = await cached.open('app', odd)
      expect(warm.size).toBe(size)
      warm.close()
      expect(upstream.requests).toEqual([])
      await cached.expectNothingLeft()
    },
  )

  it('a blob that does not exist is a 404, and nothing is left of trying', async () => {
    const { cached } = await startBoth()
    const unknown = `sha256:${'0'.repeat(64)}`
    await expect(cached.read('app', unknown)).rejects.toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' })
    await cached.expectNothingLeft()
  })

  it('a small blob goes out only when it is verified, and whole', async () => {
    const { upstream, cached } = await startBoth()
    const small = upstream.content.digest('app', 'small')
    expect((await cached.read('app', small)).equals(upstream.content.bytes('app', 'small'))).toBe(true)
    await cached.expectNothingLeft()
  })

  it('sha512 digests are verified by their own algorithm (case 56)', async () => {
    const { upstream, cached, bytes } = await startBoth()
    const digest = upstream.content.in('app').sha512('big')
    expect(bytes.equals(await cached.read('app', digest))).toBe(true)
    await cached.expectNothingLeft()
    expect((await cached.stored(digest))?.equals(bytes)).toBe(true)
  })
})

describe('two repositories and one blob', () => {
  const shared = {
    blobs: { config: '{}', big: { size, seed: 2 } },
    manifests: { m: { config: 'config', layers: ['big'] } },
  }
  const content = { 'a/app': { ...shared, tags: { 1: 'm' } }, 'b/app': { ...shared, tags: { 1: 'm' } }, 'c/app': {} }

  it('share one fill and one file (case 53, nexus-public 967)', async () => {
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream)
    const big = upstream.content.digest('a/app', 'big')
    for (const name of ['a/app', 'b/app']) await cached.manifest(name, '1')
    const [one, other] = await Promise.all(['a/app', 'b/app'].map((name) => cached.read(name, big)))
    expect(one!.equals(other!)).toBe(true)
    expect(upstream.count(/blobs/)).toBe(1)
    await cached.expectNothingLeft()
  })

  it('of two upstreams help each other out: where one breaks down, the other goes on', async () => {
    const [upstream, other] = [await startUpstream({ content }), await startUpstream({ content })]
    const cached = await startCached(upstream)
    const network = openNetwork()
    onTestFinished(() => network.close())
    const reader = upstreamRegistry({ name: 'other', url: new URL(other.url), network })
    const second = cached.cache.registry('other', reader, { freshness: 60_000, rules: [] })
    const name = parseRepositoryName('b/app')
    const big = parseDigest(upstream.content.digest('a/app', 'big'))
    await cached.manifest('a/app', '1')
    await second.getManifest(name, parseTag('1'))
    upstream.hold(/blobs/, mebibyte)
    const first = cached.read('a/app', big)
    await upstream.until(({ bytesSent }) => bytesSent >= mebibyte)
    const joined = await second.getBlob(name, big)
    await upstream.stop()
    const bytes = upstream.content.bytes('a/app', 'big')
    for (const got of await Promise.all([first, readAll(joined)])) expect(bytes.equals(got)).toBe(true)
    expect(other.count(/blobs.* 206/)).toBe(1)
    await cached.expectNothingLeft()
  })

  it.each([
    ['before it', ['a/app', 'c/app']],
    ['after it', ['c/app', 'a/app']],
  ])(
    'but one that the upstream refuses it to does not get it from a fill begun %s, however they race',
    async (_, order) => {
      const upstream = await startUpstream({ content })
      const cached = await startCached(upstream)
      const big = upstream.content.digest('a/app', 'big')
      await cached.manifest('a/app', '1')
      const release = upstream.hold(/a\/app\/blobs/, mebibyte)
      const reads = new Map(order.map((name) => [name, cached.read(name, big)]))
      const [mine, theirs] = [reads.get('a/app')!, reads.get('c/app')!]
      await expect(theirs).rejects.toMatchObject({ status: 404 })
      release()
      expect(await mine).toHaveLength(size)
      await expect(cached.read('c/app', big)).rejects.toMatchObject({ status: 404 })
      await cached.expectNothingLeft()
    },
  )
})

interface Reading {
  expected: Buffer
  bufferSize: number
  slow: boolean
  /** Bytes after which the reader leaves. */
  most: number
}

async function expectReads(blob: Blob, { expected, bufferSize, slow, most }: Reading): Promise<void> {
  const buffer = Buffer.alloc(bufferSize)
  let at = 0
  try {
    while (at < most) {
      if (slow) await turns(3)
      const got = await blob.read(buffer)
      if (got === 0) return expect(at).toBe(expected.length)
      if (!buffer.subarray(0, got).equals(expected.subarray(at, at + got))) throw new Error(`wrong bytes at ${at}`)
      at += got
    }
  } finally {
    blob.close()
  }
}

/** Lets other work go on for so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

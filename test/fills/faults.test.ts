import { statSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDigest } from '../../src/oci/digest.ts'
import { parseRepositoryName } from '../../src/oci/reference.ts'
import { readAll, startCached, type CachedOptions } from '../helpers/cached.ts'
import { eventually } from '../helpers/open-files.ts'
import { startUpstream, type Fault, type UpstreamOptions } from '../helpers/upstream.ts'

const mebibyte = 1024 * 1024
const size = 3 * mebibyte
const blobs = /blobs/
/** What a broken connection may take with it: bytes that the kernel or the HTTP client had, but we had not. */
const lostInACut = 128 * 1024

/** An upstream with one blob of 3 MiB, which a manifest names, and a cache in front of it that has seen the manifest. */
async function startBoth(options: Omit<UpstreamOptions, 'content'> = {}, cachedOptions: CachedOptions = {}) {
  const manifests = { m: { config: 'config', layers: ['big'] } }
  const content = { app: { blobs: { config: '{}', big: { size, seed: 1 } }, manifests, tags: { 1: 'm' } } }
  const upstream = await startUpstream({ ...options, content })
  const cached = await startCached(upstream, cachedOptions)
  await cached.manifest('app', '1')
  const big = upstream.content.digest('app', 'big')
  return { upstream, cached, big, bytes: upstream.content.bytes('app', 'big') }
}

/** Pulls the blob through these faults; it must come whole, be kept, and leave nothing behind. */
async function expectHealed(
  faults: Fault[],
  options: Omit<UpstreamOptions, 'content'> = {},
  cache: CachedOptions = {},
) {
  const { upstream, cached, big, bytes } = await startBoth({ ...options, faults }, cache)
  expect(bytes.equals(await cached.read('app', big))).toBe(true)
  await cached.expectNothingLeft()
  expect((await cached.stored(big))?.equals(bytes)).toBe(true)
  return { upstream, cached, big }
}

describe('a cut upstream', () => {
  it('is resumed by Range from the last byte that came (case 17, harbor 23600)', async () => {
    const { upstream, big } = await expectHealed([{ on: blobs, cutAfter: 1_000_000, times: 1 }])
    expect(upstream.count(blobs)).toBe(2)
    expect(upstream.sentAgain(big)).toBeLessThan(lostInACut)
    expect(upstream.received.at(-1)?.headers.range).toMatch(new RegExp(`^bytes=\\d+-${size - 1}$`))
  })

  it('may cut at any byte and again and again', async () => {
    const { upstream, big } = await expectHealed([{ on: blobs, cutAfter: 77_777 }])
    expect(upstream.sentAgain(big)).toBeLessThan(size)
  })

  it.each([1, size - 1, mebibyte, 256 * 1024])('is resumed after %d bytes', async (cutAfter) => {
    await expectHealed([{ on: blobs, cutAfter, times: 1 }])
  })

  it('without ranges starts at the front and passes by what has come', async () => {
    const { upstream } = await expectHealed([{ on: blobs, cutAfter: mebibyte, times: 2 }], {
      quirks: { noRange: true },
    })
    expect(upstream.count(/blobs.* 200/)).toBe(3)
  })

  it('is resumed also where nobody knows the length', async () => {
    const content = { app: { blobs: { big: { size, seed: 1 } } } }
    const upstream = await startUpstream({
      content,
      quirks: { chunked: true },
      faults: [{ on: blobs, cutAfter: mebibyte, times: 2 }],
    })
    const cached = await startCached(upstream)
    const big = upstream.content.digest('app', 'big')
    expect(upstream.content.bytes('app', 'big').equals(await cached.read('app', big))).toBe(true)
    expect(upstream.received.at(1)?.headers.range).toMatch(/^bytes=\d{6,}-$/)
    expect(upstream.sentAgain(big)).toBeLessThan(2 * lostInACut)
    await cached.expectNothingLeft()
  })

  it('without a length is known to have ended early by the manifest', async () => {
    await expectHealed([{ on: blobs, shortBy: mebibyte, times: 1 }], { quirks: { chunked: true } })
  })

  it('that never gives more than the first bytes breaks the pull, after a bounded number of tries', async () => {
    const faults = [{ on: blobs, cutAfter: 1000 }]
    const { upstream, cached, big } = await startBoth({ faults, quirks: { noRange: true } }, { fill: { attempts: 4 } })
    await expect(cached.read('app', big)).rejects.toThrow(/upstream up/)
    await cached.settled()
    expect(upstream.count(blobs)).toBeLessThanOrEqual(5)
    expect(await cached.stored(big)).toBeUndefined()
  })

  it('that ends a body of unknown length early, each time, breaks the pull after a bounded number of tries', async () => {
    const options = { faults: [{ on: blobs, shortBy: 5 }], quirks: { noRange: true, chunked: true } }
    const { upstream, cached, big } = await startBoth(options, { fill: { attempts: 3 } })
    await expect(cached.read('app', big)).rejects.toThrow(/upstream up/)
    expect(upstream.count(blobs)).toBeLessThanOrEqual(5)
  })
})

describe('an upstream that stalls', () => {
  const stall = { on: blobs, stallAfter: mebibyte, times: 1 }

  it('is given up and the rest asked anew', async () => {
    const { upstream, big } = await expectHealed([stall], {}, { fill: { stallAfter: 100 } })
    expect(upstream.sentAgain(big)).toBeLessThan(lostInACut)
  })

  it('is given up also while a slow client reads (the watchdog counts bytes from the upstream)', async () => {
    const { cached, big, bytes } = await startBoth({ faults: [stall] }, { fill: { stallAfter: 100 } })
    const slow = await cached.open('app', big)
    await slow.read(Buffer.alloc(10))
    await cached.settled()
    expect((await cached.stored(big))?.equals(bytes)).toBe(true)
    slow.close()
    await cached.expectNothingLeft()
  })

  it('drips less than a kilobyte a second: that is a stall too', async () => {
    await expectHealed([{ on: blobs, bytesPerSecond: 200, times: 1 }], {}, { fill: { stallAfter: 300 } })
  })
})

describe('wrong bytes', () => {
  it('are refetched once, and a reader who has none of them yet gets the right ones', async () => {
    const { cached, upstream } = await startBoth({ faults: [{ on: blobs, wrongByte: 1, times: 1 }] })
    const config = upstream.content.digest('app', 'config')
    expect((await cached.read('app', config)).toString()).toBe('{}')
    expect(cached.count('wrong-content')).toBe(1)
    expect(upstream.count(blobs)).toBe(2)
    await cached.expectNothingLeft()
  })

  it('that a client has read already break its connection, and the next pull gets the right ones', async () => {
    const { cached, upstream, big, bytes } = await startBoth({ faults: [{ on: blobs, wrongByte: 5, times: 1 }] })
    const release = upstream.hold(blobs, 2 * mebibyte)
    const blob = await cached.open('app', big)
    await blob.read(Buffer.alloc(100))
    release()
    await expect(drain(blob)).rejects.toThrow(/proved wrong/)
    blob.close()
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    await cached.expectNothingLeft()
  })

  it('break a client off also when it comes back after they were thrown away', async () => {
    const faults = [{ on: blobs, wrongByte: 5, times: 1 }]
    const { cached, big } = await startBoth({ faults }, { fill: { complete: 'never' } })
    const blob = await cached.open('app', big)
    // It has all but the last byte, which waits for the digest, and looks elsewhere while that proves wrong.
    for (let at = 0; at < size - 1;) at += await blob.read(Buffer.alloc(size - 1 - at))
    const partial = path.join(cached.folder, 'partial', cached.partialFiles[0]!)
    await eventually(
      () => cached.count('wrong-content') === 1 && statSync(partial).size === 0,
      () => 'wrong bytes thrown away',
    )
    await expect(blob.read(Buffer.alloc(1))).rejects.toThrow(/proved wrong/)
    blob.close()
    await cached.expectNothingLeft()
  })

  it('twice break the connection before the end, and nothing is kept', async () => {
    const { cached, upstream, big } = await startBoth({ faults: [{ on: blobs, wrongByte: 5 }] })
    const blob = await cached.open('app', big)
    const got: number[] = []
    await expect(drain(blob, got)).rejects.toThrow(/must have that digest|proved wrong/)
    blob.close()
    expect(got.reduce((sum, n) => sum + n, 0)).toBeLessThan(size)
    await cached.expectNothingLeft()
    expect(await cached.stored(big)).toBeUndefined()
    expect(upstream.count(blobs)).toBe(2)
  })

  it.each([
    ['too few', { shortBy: 7 }],
    ['too many', { longBy: 7 }],
  ])('%s by the upstream’s own length: a clear error, nothing kept', async (_, fault) => {
    const { cached, big } = await startBoth({ faults: [{ on: blobs, ...fault }] })
    await expect(cached.read('app', big)).rejects.toThrow(new RegExp(`must have ${size} bytes`))
    await cached.expectNothingLeft()
    expect(await cached.stored(big)).toBeUndefined()
  })

  it.each([
    ['a body', { on: /GET .*blobs/, longBy: 7 }],
    ['a HEAD', { on: /HEAD .*blobs/, status: 200, body: '' }],
  ])('a length that %s told wrong once is not believed for ever', async (_, lie) => {
    const upstream = await startUpstream({ content: { app: { blobs: { big: { size, seed: 1 } } } }, faults: [lie] })
    const cached = await startCached(upstream)
    const big = upstream.content.digest('app', 'big')
    await cached.registry.headBlob(parseRepositoryName('app'), parseDigest(big))
    await expect(cached.read('app', big)).rejects.toThrow(/upstream up/)
    upstream.set({ faults: [] })
    expect(await cached.read('app', big)).toHaveLength(size)
    await cached.expectNothingLeft()
  })

  it.each([
    ['too few', { shortBy: 7 }],
    ['too many', { longBy: 7 }],
  ])(
    '%s, told to a client that has none of them yet: no clean end, though the right ones came since',
    async (_, lie) => {
      const content = { app: { blobs: { big: { size, seed: 1 } } } }
      const upstream = await startUpstream({ content, faults: [{ on: /GET .*blobs/, ...lie, times: 1 }] })
      const cached = await startCached(upstream)
      const big = upstream.content.digest('app', 'big')
      const blob = await cached.open('app', big)
      expect(blob.size).not.toBe(size)
      await cached.settled()
      await expect(drain(blob)).rejects.toThrow(`must have ${blob.size} bytes, saw ${size}`)
      blob.close()
      expect(await cached.read('app', big)).toHaveLength(size)
      await cached.expectNothingLeft()
    },
  )

  it('too many without a length: the digest decides over those asked for', async () => {
    await expectHealed([{ on: blobs, longBy: 7 }], { quirks: { chunked: true } })
  })
})

describe('errors in mid-blob', () => {
  const cut = { on: /blobs/, cutAfter: mebibyte, times: 1 }

  it.each([500, 502, 503])('a %d is tried again', async (status) => {
    const { upstream, cached, big, bytes } = await startBoth({ faults: [cut] })
    const release = upstream.hold(blobs, 1000)
    const blob = await cached.open('app', big)
    upstream.set({ faults: [{ on: blobs, status, times: 2 }] })
    release()
    expect(bytes.equals(await readAll(blob))).toBe(true)
    await cached.expectNothingLeft()
  })

  it('a 429 with Retry-After is waited for', async () => {
    const limited = { on: blobs, status: 429, headers: { 'retry-after': '1' }, times: 1 }
    const { upstream, cached, big, bytes } = await startBoth({ faults: [cut] })
    const release = upstream.hold(blobs, 1000)
    const blob = await cached.open('app', big)
    upstream.set({ faults: [limited] })
    release()
    expect(bytes.equals(await readAll(blob))).toBe(true)
    expect(upstream.count(/blobs.* 429/)).toBe(1)
  })

  it('a signed URL that expired is asked for anew', async () => {
    const { upstream, cached, big, bytes } = await startBoth({ cdn: {}, faults: [{ ...cut, on: /cdn/ }] })
    const release = upstream.hold(/cdn/, 1000)
    const blob = await cached.open('app', big)
    upstream.expireUrls()
    release()
    expect(bytes.equals(await readAll(blob))).toBe(true)
    expect(upstream.count(/^GET .*blobs/)).toBe(2)
  })

  it('a token that expired is fetched anew', async () => {
    const { upstream, cached, big, bytes } = await startBoth({ auth: { kind: 'bearer' }, faults: [cut] })
    const release = upstream.hold(blobs, 1000)
    const blob = await cached.open('app', big)
    upstream.expireTokens()
    release()
    expect(bytes.equals(await readAll(blob))).toBe(true)
    expect(upstream.count(/blobs.* 401/)).toBeGreaterThan(0)
    await cached.expectNothingLeft()
  })
})

describe('any of these at random places', () => {
  const fault = fc.oneof(
    fc.record({ cutAfter: fc.nat(size - 1) }),
    fc.record({ wrongByte: fc.nat(size - 1) }),
    fc.record({ stallAfter: fc.nat(size - 1) }),
    fc.record({ status: fc.constantFrom(500, 503) }),
  )
  const quirks = fc.record({ chunked: fc.boolean(), noRange: fc.boolean(), changingETag: fc.boolean() })
  const threshold = fc.constantFrom(mebibyte, 16 * mebibyte)

  it(
    'give the right bytes or a broken connection, and leave nothing (harbor 23600, node 25081)',
    { timeout: 120_000 },
    async () => {
      const faults = fc.array(fault, { maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(faults, quirks, threshold, async (faults, quirks, parallelThreshold) => {
          const { upstream, cached, big, bytes } = await startBoth(
            { quirks, faults: faults.map((fault) => ({ ...fault, on: blobs, times: 1 })) },
            { fill: { stallAfter: 100, parallelThreshold } },
          )
          const got = await cached.read('app', big).catch((error: unknown) => error as Error)
          if (got instanceof Buffer) expect(bytes.equals(got)).toBe(true)
          upstream.set({ faults: [] })
          expect(bytes.equals(await cached.read('app', big))).toBe(true)
          await cached.expectNothingLeft()
          await cached.stop()
          await upstream.stop()
        }),
        { numRuns: process.env.CI ? 100 : 20 },
      )
    },
  )
})

async function drain(blob: { read(into: Buffer): Promise<number> }, got: number[] = []): Promise<void> {
  const buffer = Buffer.alloc(100_000)
  for (let read = await blob.read(buffer); read > 0; read = await blob.read(buffer)) got.push(read)
}

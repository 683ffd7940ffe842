import { describe, expect, it } from 'vitest'
import type { Blob } from '../../src/oci/registry.ts'
import { startCached, type Cached } from '../helpers/cached.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeRandom, type Random } from '../helpers/random.ts'
import { startUpstream, type Fault, type Upstream } from '../helpers/upstream.ts'

// An upstream that fails at random in every way it can, under readers that join, leave and seek at random: whoever is not
// broken off has exact bytes, nobody a clean end with wrong ones, and nothing is left behind.

const mebibyte = 1024 * 1024
const size = 9 * mebibyte
const first = Number(process.env.BERTH_TEST_SEED ?? Date.now() % 1_000_000)
const runs = Number(process.env.BERTH_TEST_SEEDS ?? (process.env.CI ? 500 : 25))
const blobs = /GET .*blobs/

describe(`faults at random, seeds ${first} to ${first + runs - 1} (BERTH_TEST_SEED, BERTH_TEST_SEEDS)`, () => {
  // Ten tests rather than hundreds: each names its seeds, and the one at fault names its own.
  const share = Math.ceil(runs / 10)
  for (let from = first; from < first + runs; from += share) {
    const seeds = Array.from({ length: Math.min(share, first + runs - from) }, (_, i) => from + i)
    it(`seeds ${seeds[0]} to ${seeds.at(-1)}`, { timeout: 30_000 + 10_000 * seeds.length }, async () => {
      for (const seed of seeds) {
        await runSeed(seed).catch((cause: unknown) => {
          throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
        })
      }
    })
  }
})

async function runSeed(seed: number): Promise<void> {
  const random = makeRandom(seed)
  const { upstream, clock, cached, big, bytes } = await startBoth(random)
  const faults = makeFaults(random)
  upstream.set({ faults })
  if (random.chance(0.3)) changeMidway(upstream, random)
  const outcomes = await Promise.all(
    Array.from({ length: random.whole(1, 6) }, () =>
      read({ cached, big, bytes, random: makeRandom(random.whole(0, 1e9)) }),
    ),
  )
  await cached.settled(20_000)
  // Each fault may cost a refetch of the whole, and each reader a range of its own; never more.
  expect(upstream.bytesSent).toBeLessThan(size * (faults.length + outcomes.length + 2))

  upstream.set({ faults: [], quirks: {} })
  await upstream.until(({ open }) => open === 0)
  // What was kept of a fill that failed may be wrong: then this pull finds out, and the next one gets the right bytes.
  // One more may be refused for a fault that a request nobody waits for any more met, and told of just now.
  const pull = () => {
    clock.advance(60_000)
    return read({ cached, big, bytes, random: quiet })
  }
  const pulls = [await pull()]
  while (pulls.at(-1) !== 'whole' && pulls.length < 3) pulls.push(await pull())
  expect(pulls.at(-1), pulls.join('; ')).toBe('whole')
  await cached.expectNothingLeft()
  expect((await cached.stored(big))?.equals(bytes)).toBe(true)
  await cached.stop()
  await upstream.stop()
}

async function startBoth(random: Random) {
  const content = {
    app: {
      blobs: { config: '{}', big: { size, seed: 61 } },
      manifests: { m: { config: 'config', layers: ['big'] } },
      tags: { 1: 'm' },
    },
  }
  const quirks = {
    noRange: random.chance(0.15),
    chunked: random.chance(0.15),
    changingETag: random.chance(0.15),
  }
  const upstream = await startUpstream({ content, quirks, ...(random.chance(0.5) && { cdn: {} }) })
  const fill = {
    stallAfter: 250,
    parallelThreshold: random.chance(0.7) ? mebibyte : 16 * mebibyte,
    connections: random.whole(1, 5),
    complete: random.pick(['always', 'always', 'when-read', 'never'] as const),
  }
  const clock = makeClock()
  const cached = await startCached(upstream, { fill, now: () => clock.now() })
  if (random.chance(0.8)) await cached.manifest('app', '1')
  return {
    upstream,
    clock,
    cached,
    big: upstream.content.digest('app', 'big'),
    bytes: upstream.content.bytes('app', 'big'),
  }
}

function makeFaults(random: Random): Fault[] {
  const at = () => random.whole(0, 4 * mebibyte)
  const kinds: (() => Fault)[] = [
    () => ({ cutAfter: at() }),
    () => ({ cutAfter: at() }),
    () => ({ stallAfter: at() }),
    () => ({ wrongByte: random.whole(0, size) }),
    () => ({ shiftBy: random.whole(1, mebibyte) }),
    () => ({ shortBy: random.whole(1, 1000) }),
    () => ({ longBy: random.whole(1, 1000) }),
    () => ({ status: random.pick([403, 416, 429, 500, 503]) }),
    () => ({ reset: true as const }),
  ]
  return Array.from({ length: random.whole(0, 5) }, () => ({
    ...random.pick(kinds)(),
    on: blobs,
    times: random.whole(1, 3),
  }))
}

/** Something in the upstream changes when some of the blob has been sent. */
function changeMidway(upstream: Upstream, random: Random): void {
  const bytes = random.whole(0, size)
  const change = random.pick([
    () => upstream.set({ quirks: { noRange: true } }),
    () => upstream.set({ quirks: { changingETag: true } }),
    () => upstream.expireUrls(),
    () => upstream.closeIdle(),
  ])
  void upstream.until(({ bytesSent }) => bytesSent >= bytes, 20_000).then(change, () => {})
}

interface Reading {
  cached: Cached
  big: string
  bytes: Buffer
  random: Random
}

/** Reads as some client would; throws when a byte is wrong, or an end that looks clean is none. */
async function read({ cached, big, bytes, random }: Reading): Promise<'whole' | 'left' | `broken: ${string}`> {
  await turns(random.whole(0, 60))
  const start = random.chance(0.5) ? 0 : random.whole(0, size - 1)
  const end = start === 0 && random.chance(0.8) ? size : random.whole(start + 1, size)
  const range = start === 0 && end === size ? undefined : { start, end }
  let blob: Blob
  try {
    blob = await cached.open('app', big, range)
  } catch (error) {
    return `broken: ${(error as Error).message}`
  }
  const leaveAt = random.chance(0.2) ? random.whole(start, end) : Infinity
  const buffer = Buffer.alloc(random.pick([1000, 65_536, mebibyte]))
  const slow = random.chance(0.3)
  const borrows = random.chance(0.5)
  let position = start
  let right = true
  try {
    while (position < leaveAt) {
      if (slow) await turns(2)
      const lent = borrows ? await blob.borrow?.() : undefined
      // Whatever happens meanwhile, what is lent stays as it is.
      if (lent) await turns(random.whole(0, 3))
      const came = lent?.bytes ?? buffer.subarray(0, await blob.read(buffer))
      right &&= came.equals(bytes.subarray(position, position + came.length))
      position += came.length
      lent?.release()
      if (came.length === 0) break
    }
  } catch (error) {
    return `broken: ${(error as Error).message}`
  } finally {
    blob.close()
  }
  if (position >= leaveAt) return 'left'
  if (position !== end) throw new Error(`a clean end at ${position} of ${end} bytes`)
  // Nobody can check a range before the rest is there; the client that asked for it does.
  if (!range && !right) throw new Error('a clean end and wrong bytes')
  return 'whole'
}

/** Reads the whole from the start, at once. */
const quiet: Random = { whole: (from) => from, chance: (p) => p === 0.5 || p === 0.8, pick: (all) => all.at(-1)! }

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

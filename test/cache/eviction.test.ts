import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseEvictions, type EvictionRules } from '../../src/cache/eviction.ts'
import type { EvictionCandidate } from '../../src/metadata/metadata.ts'
import type { Digest } from '../../src/oci/digest.ts'

const day = 24 * 3_600_000
const now = 100 * day
const rules = (more: Partial<EvictionRules>): EvictionRules => ({
  maxBytes: Infinity,
  toFree: 0,
  maxIdle: () => Infinity,
  mustStay: () => false,
  now,
  ...more,
})

const candidate = (name: string, size: number, age: number, upstreams = ['docker.io']): EvictionCandidate => ({
  digest: name as Digest,
  size,
  usedAt: now - age,
  upstreams,
})

const names = (chosen: EvictionCandidate[]) => chosen.map(({ digest }) => digest)

describe('what is evicted', () => {
  it('is nothing while there is room', () => {
    expect(chooseEvictions([candidate('a', 10, day)], 10, rules({ maxBytes: 10 }))).toEqual([])
  })

  it('is the least recently used first, down to nine tenths of the limit', () => {
    const all = [candidate('new', 40, 1), candidate('old', 40, 3), candidate('middle', 40, 2)]
    expect(names(chooseEvictions(all, 120, rules({ maxBytes: 100 })))).toEqual(['old'])
    expect(names(chooseEvictions(all, 120, rules({ maxBytes: 80 })))).toEqual(['old', 'middle'])
  })

  it('is as much as the disk lacks', () => {
    const all = [candidate('new', 40, 1), candidate('old', 40, 3)]
    expect(names(chooseEvictions(all, 80, rules({ toFree: 41 })))).toEqual(['old', 'new'])
  })

  it('is what lay idle too long for every upstream that has it (case 46, distribution 4352)', () => {
    const maxIdle = (upstream: string) => (upstream === 'docker.io' ? day : Infinity)
    const all = [
      candidate('idle', 1, 2 * day),
      candidate('shared', 1, 2 * day, ['docker.io', 'quay.io']),
      candidate('used', 1, 1),
    ]
    expect(names(chooseEvictions(all, 3, rules({ maxIdle })))).toEqual(['idle'])
  })

  it('is never what is in use or pinned, and ends under the limit or with nothing left that may go', () => {
    const blob = fc.record({
      size: fc.integer({ min: 0, max: 1000 }),
      age: fc.integer({ min: 0, max: 1000 }),
      stays: fc.boolean(),
    })
    const property = fc.property(
      fc.array(blob, { maxLength: 40 }),
      fc.integer({ min: 0, max: 20_000 }),
      (blobs, maxBytes) => {
        const all = blobs.map(({ size, age }, i) => candidate(String(i), size, age))
        const mustStay = (digest: Digest) => blobs[Number(digest)]!.stays
        const bytes = blobs.reduce((sum, { size }) => sum + size, 0)
        const chosen = chooseEvictions(all, bytes, rules({ maxBytes, mustStay }))
        expect(chosen.filter(({ digest }) => mustStay(digest))).toEqual([])
        const left = bytes - chosen.reduce((sum, { size }) => sum + size, 0)
        const movable = all.filter(({ digest, size }) => !mustStay(digest) && size > 0)
        expect(left <= maxBytes || movable.every((one) => chosen.includes(one))).toBe(true)
      },
    )
    fc.assert(property, { numRuns: 500 })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Intervals } from '../../src/oci/intervals.ts'

const limit = 40
const piece = fc.tuple(fc.nat({ max: limit }), fc.nat({ max: limit })).map(([start, end]) => ({ start, end }))
const pieces = fc.array(piece, { maxLength: 15 })

/** The same set, one flag a byte. */
function flagsOf(list: { start: number; end: number }[]): boolean[] {
  const flags = Array<boolean>(limit).fill(false)
  for (const { start, end } of list) if (start < end) flags.fill(true, start, end)
  return flags
}

describe('a set of bytes', () => {
  it('holds what was added, in whatever order, and nothing else', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const intervals = new Intervals(list)
        expect(flagsOf(intervals.toJSON())).toEqual(flagsOf(list))
        expect(intervals.total).toBe(flagsOf(list).filter(Boolean).length)
      }),
    )
  })

  it('is kept as sorted intervals that neither touch nor overlap nor are empty', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const kept = new Intervals(list).toJSON()
        kept.forEach(({ start, end }, i) => {
          expect(end).toBeGreaterThan(start)
          if (i > 0) expect(start).toBeGreaterThan(kept[i - 1]!.end)
        })
      }),
    )
  })

  it('tells where a run ends and where the next gap is', () => {
    fc.assert(
      fc.property(pieces, fc.nat({ max: limit }), fc.nat({ max: limit }), (list, from, to) => {
        const intervals = new Intervals(list)
        const flags = flagsOf(list)
        const absent = (at: number, end: number) => flags.slice(0, end).indexOf(false, at)
        const runEnd = absent(from, limit)
        expect(intervals.endOfRun(from)).toBe(runEnd < 0 ? Math.max(from, limit) : runEnd)
        const start = absent(from, to)
        const gap = intervals.nextGap(from, to)
        const end = flags.slice(0, to).indexOf(true, start)
        expect(gap).toEqual(start < 0 ? undefined : { start, end: end < 0 ? to : end })
      }),
    )
  })

  it('is whole when every gap it names has been filled', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const intervals = new Intervals(list)
        for (let gap = intervals.nextGap(0, limit); gap; gap = intervals.nextGap(0, limit)) {
          intervals.add(gap.start, gap.end)
        }
        expect(intervals.endOfRun(0)).toBe(limit)
        expect(intervals.toJSON()).toEqual([{ start: 0, end: limit }])
      }),
    )
  })

  it('comes back from its JSON', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const kept = new Intervals(list).toJSON()
        expect(new Intervals(JSON.parse(JSON.stringify(kept)) as typeof kept).toJSON()).toEqual(kept)
      }),
    )
  })

  it('counts beyond 4 GiB (case 43)', () => {
    const intervals = new Intervals([{ start: 2 ** 32, end: 2 ** 36 }])
    expect(intervals.total).toBe(2 ** 36 - 2 ** 32)
    expect(intervals.nextGap(0, 2 ** 40)).toEqual({ start: 0, end: 2 ** 32 })
    expect(intervals.nextGap(2 ** 32, 2 ** 40)).toEqual({ start: 2 ** 36, end: 2 ** 40 })
  })

  it('can be emptied', () => {
    const intervals = new Intervals([{ start: 0, end: 5 }])
    intervals.clear()
    expect([intervals.total, intervals.toJSON()]).toEqual([0, []])
  })
})

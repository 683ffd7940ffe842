import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextStretch, segmentFor, type FillState } from '../../src/fills/plan.ts'
import { Intervals } from '../../src/oci/intervals.ts'

const mebibyte = 1024 * 1024

/** A blob of 100 MiB of which nothing is present, in flight or wanted, unless said otherwise. Numbers are mebibytes. */
function makeState(given: {
  present?: [number, number][]
  inFlight?: [number, number][]
  wanted?: number[]
  readAhead?: boolean
  segment?: number
}): FillState {
  const bytes = (pair: [number, number]) => ({ start: pair[0] * mebibyte, end: pair[1] * mebibyte })
  return {
    size: 100 * mebibyte,
    present: new Intervals((given.present ?? []).map(bytes)),
    inFlight: (given.inFlight ?? []).map(bytes).map(({ start, end }) => ({ position: start, end })),
    wanted: (given.wanted ?? []).map((at) => at * mebibyte),
    readAhead: given.readAhead ?? true,
    segment: (given.segment ?? 10) * mebibyte,
  }
}

const stretch = (state: FillState) => {
  const next = nextStretch(state)
  return next && [next.start / mebibyte, next.end / mebibyte]
}

describe('the next stretch to fetch', () => {
  it.each<[string, Parameters<typeof makeState>[0], [number, number] | undefined]>([
    ['is the front of an empty blob', {}, [0, 10]],
    ['follows what is present', { present: [[0, 5]] }, [5, 15]],
    [
      'ends where present bytes begin',
      {
        present: [
          [0, 5],
          [8, 20],
        ],
      },
      [5, 8],
    ],
    ['follows what is being fetched', { inFlight: [[0, 10]] }, [10, 20]],
    ['ends where others fetch', { inFlight: [[4, 10]] }, [0, 4]],
    ['ends with the blob', { present: [[0, 95]] }, [95, 100]],
    ['is what a reader waits for, before the front', { wanted: [50] }, [50, 60]],
    ['is what the first of several readers waits for', { wanted: [70, 50] }, [50, 60]],
    ['is not what is nearly there', { inFlight: [[50, 60]], wanted: [50.5] }, [0, 10]],
    [
      'cuts a connection short that is far from what a reader waits for',
      { inFlight: [[50, 60]], wanted: [55] },
      [55, 65],
    ],
    ['is nothing when all is present', { present: [[0, 100]] }, undefined],
    ['is nothing when all is coming', { inFlight: [[0, 100]] }, undefined],
    ['is nothing without readers, where nothing is read ahead', { readAhead: false }, undefined],
    ['is only what is waited for, where nothing is read ahead', { readAhead: false, wanted: [7] }, [7, 17]],
  ])('%s', (_, given, expected) => {
    expect(stretch(makeState(given))).toEqual(expected)
  })

  const span = fc
    .tuple(fc.nat(99), fc.integer({ min: 1, max: 30 }))
    .map(([a, n]): [number, number] => [a, Math.min(100, a + n)])

  it('is never present, and in flight only where it cuts a connection short', () => {
    const states = fc.record({
      present: fc.array(span),
      wanted: fc.array(fc.nat(99)),
      segment: fc.integer({ min: 1, max: 40 }),
    })
    fc.assert(
      fc.property(states, (given) => {
        const state = makeState(given)
        const next = nextStretch(state)
        if (!next) {
          expect(state.present.nextGap(0, state.size)).toBeUndefined()
          return
        }
        expect(next.end).toBeGreaterThan(next.start)
        expect(next.end - next.start).toBeLessThanOrEqual(state.segment)
        expect(state.present.nextGap(next.start, state.size)).toEqual({
          start: next.start,
          end: expect.toSatisfy((end: number) => end >= next.end) as number,
        })
      }),
    )
  })

  it('and the next and the next cover the blob once, whatever is present', () => {
    fc.assert(
      fc.property(fc.array(span), fc.integer({ min: 1, max: 40 }), (present, segment) => {
        const state = makeState({ present, segment })
        let fetched = state.present.total
        for (let next = nextStretch(state); next; next = nextStretch(state)) {
          state.present.add(next.start, next.end)
          fetched += next.end - next.start
        }
        expect(fetched).toBe(state.size)
      }),
    )
  })
})

describe('a segment', () => {
  it.each([
    ['is short while nobody knows how long answers take', 0, 256, 4],
    ['is long enough to pay for its request', 0.5, 256, 6],
    ['leaves something for the other connections', 2, 64, 16],
    ['is no longer than a reader at the front may be made to wait', 10, 10_000, 32],
    ['has at least what a request is worth at the end, too', 2, 3, 4],
  ])('%s', (_, missed, left, expected) => {
    expect(segmentFor(missed * mebibyte, left * mebibyte, 4) / mebibyte).toBe(expected)
  })

  it('has whole bytes, whatever was measured', () => {
    expect(segmentFor(0.43 * mebibyte + 0.1, 256 * mebibyte, 4) % 1).toBe(0)
  })
})

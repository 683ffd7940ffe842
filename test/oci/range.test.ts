import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../src/oci/errors.ts'
import { formatRange, parseContentRange, parseRange, resolveRanges, type AskedRange } from '../../src/oci/range.ts'
import { refusalOf } from '../helpers/refusals.ts'

const place = fc.nat({ max: 2 ** 53 - 1 })
const asked: fc.Arbitrary<AskedRange> = fc.oneof(
  fc.record({ first: place }),
  fc.record({ first: place, last: place }),
  fc.record({ suffix: place }),
)
const resolvedCode = (header: string, size: number) => refusalOf(() => resolveRanges(parseRange(header) ?? [], size))
const someAsked = fc.array(asked, { minLength: 1, maxLength: 20 })

describe('a Range header', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(someAsked, (ranges) => {
        expect(parseRange(formatRange(ranges))).toEqual(ranges)
      }),
    )
  })

  it.each<[string, AskedRange[]]>([
    ['bytes=0-0', [{ first: 0, last: 0 }]],
    ['bytes=5-', [{ first: 5 }]],
    ['bytes=-5', [{ suffix: 5 }]],
    ['BYTES=1-2', [{ first: 1, last: 2 }]],
    ['bytes=1-2, 5-6 ,-1', [{ first: 1, last: 2 }, { first: 5, last: 6 }, { suffix: 1 }]],
    ['bytes=,1-2,,', [{ first: 1, last: 2 }]],
    ['bytes=5000000000-', [{ first: 5_000_000_000 }]],
  ])('%s is understood', (header, ranges) => {
    expect(parseRange(header)).toEqual(ranges)
  })

  it.each([
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=1-2;3-4',
    'bytes=--1',
    'bytes=+1-2',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'items=0-5',
    '0-5',
    'bytes:0-5',
    'bytes=99999999999999999999-',
  ])('%j is none, and the whole is answered', (header) => {
    expect(parseRange(header)).toBeUndefined()
  })

  it('with its end before its start is understood, to be refused (the conformance suite asks for a 416)', () => {
    expect(resolvedCode('bytes=500-0', 2000)).toBe('RANGE_INVALID')
  })

  it('of very many ranges is none (a guard, as RFC 9110, 14.2 advises)', () => {
    expect(parseRange(`bytes=${'0-,'.repeat(1000)}`)).toBeUndefined()
  })

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(refusalOf(() => parseRange(text))).toBeUndefined()
        expect(refusalOf(() => parseRange(`bytes=${text}`))).toBeUndefined()
      }),
    )
  })
})

describe('ranges of content of a known size', () => {
  it('lie within it, are not empty, and hold what was asked', () => {
    fc.assert(
      fc.property(someAsked, fc.nat({ max: 2 ** 53 - 1 }), (ranges, size) => {
        const code = refusalOf(() => resolveRanges(ranges, size))
        expect([undefined, 'RANGE_INVALID']).toContain(code)
        if (code) return
        for (const { start, end } of resolveRanges(ranges, size)) {
          expect(start).toBeGreaterThanOrEqual(0)
          expect(end).toBeGreaterThan(start)
          expect(end).toBeLessThanOrEqual(size)
        }
      }),
    )
  })

  it('select the same bytes as counting them one by one does', () => {
    const small = fc.nat({ max: 12 })
    const smallAsked = fc.oneof(
      fc.record({ first: small }),
      fc.tuple(small, small).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
      fc.record({ suffix: small }),
    )
    fc.assert(
      fc.property(smallAsked, small, (range, size) => {
        const wanted = [...Array(size).keys()].filter((i) =>
          'suffix' in range
            ? i >= size - range.suffix
            : i >= range.first && i <= ((range as { last?: number }).last ?? size),
        )
        const [start, end] = [wanted[0], wanted.at(-1)]
        if (start === undefined) expect(refusalOf(() => resolveRanges([range], size))).toBe('RANGE_INVALID')
        else expect(resolveRanges([range], size)).toEqual([{ start, end: end! + 1 }])
      }),
    )
  })

  it.each<[string, number, [number, number][]]>([
    ['bytes=500-1499', 2000, [[500, 1500]]],
    ['bytes=500-', 2000, [[500, 2000]]],
    ['bytes=-500', 2000, [[1500, 2000]]],
    ['bytes=-5000', 2000, [[0, 2000]]],
    ['bytes=2000-5000', 3000, [[2000, 3000]]],
    ['bytes=1-1,5000-', 2000, [[1, 2]]],
    [
      'bytes=5-9,0-1',
      2000,
      [
        [5, 10],
        [0, 2],
      ],
    ],
  ])('%s of %i bytes', (header, size, expected) => {
    const ranges = resolveRanges(parseRange(header) ?? [], size)
    expect(ranges.map(({ start, end }) => [start, end])).toEqual(expected)
  })

  it.each([
    ['bytes=5000-10000', 2000],
    ['bytes=2000-', 2000],
    ['bytes=-0', 2000],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ])('%s of %i bytes is RANGE_INVALID, and the answer tells the size', (header, size) => {
    const attempt = () => resolveRanges(parseRange(header) ?? [], size)
    expect(refusalOf(attempt)).toBe('RANGE_INVALID')
    expect(attempt).toThrow(RegistryError)
    try {
      attempt()
    } catch (error) {
      expect((error as RegistryError).headers).toEqual({ 'Content-Range': `bytes */${size}` })
    }
  })
})

describe('a Content-Range header', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 2 ** 40 }), fc.option(place), (start, length, size) => {
        const range = { start, end: start + length }
        const header = `bytes ${start}-${range.end - 1}/${size ?? '*'}`
        if (!Number.isSafeInteger(range.end)) return
        expect(parseContentRange(header)).toEqual({ range, ...(size !== null && { size }) })
      }),
    )
  })

  it.each([
    ['bytes */1234', { size: 1234 }],
    ['bytes 0-4/4294967296', { range: { start: 0, end: 5 }, size: 4294967296 }],
    ['Bytes  0-4/10', { range: { start: 0, end: 5 }, size: 10 }],
  ])('%s is understood', (header, expected) => {
    expect(parseContentRange(header)).toEqual(expected)
  })

  it.each(['', 'bytes', 'bytes 5-4/10', 'bytes=0-4/10', 'bytes 0-4', 'items 0-4/10', 'bytes a-b/c', 'bytes -4/10'])(
    '%j is none',
    (header) => {
      expect(parseContentRange(header)).toBeUndefined()
    },
  )

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(refusalOf(() => parseContentRange(`bytes ${text}`))).toBeUndefined()
      }),
    )
  })
})

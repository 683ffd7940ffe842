import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/quantity.ts'

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const few = fc.integer({ min: 0, max: 9_000 })

describe('sizes', () => {
  it.each([
    ['100GiB', 107_374_182_400],
    ['5GB', 5_000_000_000],
    ['512MiB', 536_870_912],
    ['3kB', 3000],
    ['7B', 7],
    ['0', 0],
    ['1234', 1234],
  ])('reads %s as %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', 'GiB', '-1', '1.5GiB', '5 GB', '5gib', '5G', '9007199254740993', '9000PiB', '0x10', '1e3'])(
    'refuses %j',
    (text) => expect(parseSize(text)).toBeUndefined(),
  )

  it.each([
    [107_374_182_400, '100GiB'],
    [5_000_000_000, '5GB'],
    [1_048_577, '1048577B'],
  ])('writes %d as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text))

  it('reads what it wrote, for any number of bytes', () => {
    fc.assert(fc.property(whole, (bytes) => parseSize(formatSize(bytes)) === bytes))
    fc.assert(fc.property(few, (gib) => parseSize(formatSize(gib * 2 ** 30)) === gib * 2 ** 30))
  })

  it('never throws and never gives a fraction', () => {
    fc.assert(fc.property(fc.string(), (text) => Number.isSafeInteger(parseSize(text) ?? 0)))
  })
})

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1m', 60_000],
    ['36h', 129_600_000],
    ['3d', 259_200_000],
    ['0s', 0],
  ])('reads %s as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '10', 's', '-1s', '1.5h', '1 m', '1M', '1h30m', '9007199254740993ms'])('refuses %j', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  )

  it.each([
    [0, '0s'],
    [129_600_000, '36h'],
    [259_200_000, '3d'],
    [1_500, '1500ms'],
  ])('writes %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('reads what it wrote, for any number of milliseconds', () => {
    fc.assert(fc.property(whole, (ms) => parseDuration(formatDuration(ms)) === ms))
    fc.assert(fc.property(few, (minutes) => parseDuration(formatDuration(minutes * 60_000)) === minutes * 60_000))
  })
})

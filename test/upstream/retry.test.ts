import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { briefWait, retryAfter, statusFailure } from '../../src/upstream/retry.ts'

const now = Date.UTC(2030, 0, 1)

describe('Retry-After', () => {
  it.each([
    ['5', 5_000],
    ['0', 1_000],
    [' 30 ', 30_000],
    ['Tue, 01 Jan 2030 00:00:20 GMT', 20_000],
    ['Mon, 31 Dec 2029 23:00:00 GMT', 1_000],
    ['86400', 3_600_000],
    ['99999999999999999999', 3_600_000],
  ])('%j is a wait of %i ms, at least a second and at most an hour', (value, wait) => {
    expect(retryAfter({ 'retry-after': value }, now)).toEqual({ retryAfter: wait })
  })

  it.each([undefined, '', 'soon', '-5', '1.5', '880.092µs', 'NaN'])('%j is none', (value) => {
    expect(retryAfter({ 'retry-after': value }, now)).toEqual({})
  })

  it('is a whole, bounded wait or none, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String)), (value) => {
        const { retryAfter: wait = 1000 } = retryAfter({ 'retry-after': value }, now)
        expect(wait).toBeGreaterThanOrEqual(1000)
        expect(wait).toBeLessThanOrEqual(3_600_000)
      }),
    )
  })
})

describe('a status', () => {
  it.each([
    [429, 'rate-limited', 429],
    [401, 'unauthorized', 403],
    [403, 'unauthorized', 403],
    [408, 'server-error', 502],
    [500, 'server-error', 502],
    [502, 'server-error', 502],
    [503, 'server-error', 502],
    [504, 'server-error', 502],
    [522, 'server-error', 502],
  ])('%i is the failure %s, which clients see as %i', (status, failure, seen) => {
    expect(statusFailure('up.test', 'it', status, {})).toMatchObject({ failure, status: seen })
  })

  it.each([200, 206, 301, 404, 410, 416, 400])('%i is no failure of the upstream', (status) => {
    expect(statusFailure('up.test', 'it', status, {})).toBeUndefined()
  })
})

describe('a brief wait in the body of a 429', () => {
  it.each([
    ['toomanyrequests: retry-after: 880.092µs, allowed: 44000/minute', 1],
    ['{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 36.5ms, allowed: 44000/minute"}]}', 37],
    ['retry-after: 1s', 1000],
    ['retry-after: 900ns', 1],
    ['retry-after: 2s', undefined],
    ['retry-after: 1m2.5s', undefined],
    ['retry-after: 5', undefined],
    ['You have reached your pull rate limit.', undefined],
    ['', undefined],
  ])('%s', (body, wait) => {
    expect(briefWait(body)).toBe(wait)
  })
})

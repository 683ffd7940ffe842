import { describe, expect, it } from 'vitest'
import { UpstreamError, type UpstreamFailure } from '../../src/oci/errors.ts'
import { Breaker } from '../../src/upstream/breaker.ts'
import { makeClock } from '../helpers/clock.ts'
import { refusalOf } from '../helpers/refusals.ts'

function makeBreaker() {
  const clock = makeClock()
  const breaker = new Breaker(() => clock.now())
  const passes = () => refusalOf(() => breaker.check()) === undefined
  const fail = (failure: UpstreamFailure = 'unreachable') => breaker.failed(new UpstreamError(failure, 'it is down'))
  return { clock, breaker, passes, fail }
}

describe('a breaker', () => {
  it('lets all pass while nothing fails', () => {
    const { passes } = makeBreaker()
    expect([passes(), passes()]).toEqual([true, true])
  })

  it.each<UpstreamFailure>(['unreachable', 'timeout', 'tls'])('opens at one failure of the kind %s', (failure) => {
    const { passes, fail } = makeBreaker()
    fail(failure)
    expect(passes()).toBe(false)
  })

  it.each<UpstreamFailure>(['unauthorized', 'bad-answer', 'rate-limited'])(
    'stays closed at %s, which is about what was asked for',
    (failure) => {
      const { passes, fail } = makeBreaker()
      for (let i = 0; i < 10; i++) fail(failure)
      expect(passes()).toBe(true)
    },
  )

  it('opens at the third 5xx in a row, and not when an answer comes between', () => {
    const { breaker, passes, fail } = makeBreaker()
    fail('server-error')
    fail('server-error')
    breaker.succeeded()
    fail('server-error')
    fail('server-error')
    expect(passes()).toBe(true)
    fail('server-error')
    expect(passes()).toBe(false)
  })

  it('lets one try when its pause is over, and keeps the others waiting', () => {
    const { clock, passes, fail } = makeBreaker()
    fail()
    clock.advance(1000)
    expect([passes(), passes(), passes()]).toEqual([true, false, false])
  })

  it('waits for the one that tries, however long, and lets another try when it was given up', () => {
    const { clock, breaker, passes, fail } = makeBreaker()
    fail()
    clock.advance(1000)
    expect(passes()).toBe(true)
    clock.advance(60_000)
    expect(passes()).toBe(false)
    breaker.abandoned()
    expect([passes(), passes()]).toEqual([true, false])
    breaker.succeeded()
    expect([passes(), passes()]).toEqual([true, true])
  })

  it('tells when it opens and when it closes', () => {
    const told: boolean[] = []
    const breaker = new Breaker(Date.now, (open) => told.push(open))
    const down = new UpstreamError('unreachable', 'it is down')
    breaker.failed(down)
    breaker.failed(down)
    breaker.succeeded()
    breaker.succeeded()
    expect(told).toEqual([true, false])
  })

  it('doubles its pause at each failure, up to 30 s', () => {
    const { clock, passes, fail } = makeBreaker()
    for (const pause of [1, 2, 4, 8, 16, 30, 30]) {
      fail()
      clock.advance(pause * 1000 - 1)
      expect([pause, passes()]).toEqual([pause, false])
      clock.advance(1)
      expect([pause, passes()]).toEqual([pause, true])
    }
  })

  it('closes at a success, and begins anew with a short pause', () => {
    const { clock, breaker, passes, fail } = makeBreaker()
    for (let i = 0; i < 5; i++) fail()
    breaker.succeeded()
    expect([passes(), passes()]).toEqual([true, true])
    fail()
    clock.advance(1000)
    expect(passes()).toBe(true)
  })

  it('says why, and when it will be tried again', () => {
    const { breaker, fail } = makeBreaker()
    fail()
    expect(() => breaker.check()).toThrow('it is down; asking it again in 1 s')
  })
})

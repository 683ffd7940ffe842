import { describe, expect, it } from 'vitest'
import { Attempts } from '../../src/access/attempts.ts'
import { makeClock } from '../helpers/clock.ts'

function start() {
  const clock = makeClock()
  const attempts = new Attempts(() => clock.now())
  const wrong = (times: number, account = 'ann', address = '10.0.0.1') => {
    for (let i = 0; i < times; i++) attempts.begin(account, address)
  }
  return { clock, attempts, wrong }
}

describe('wrong passwords', () => {
  it('cost nothing at first, and then waits that double up to five minutes', () => {
    const { clock, attempts, wrong } = start()
    wrong(4)
    expect(attempts.wait('ann', '10.0.0.1')).toBe(0)
    const waits: number[] = []
    for (let i = 0; i < 10; i++) {
      wrong(1)
      waits.push(attempts.wait('ann', '10.0.0.1') / 1_000)
      clock.advance(attempts.wait('ann', '10.0.0.1'))
      expect(attempts.wait('ann', '10.0.0.1')).toBe(0)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
  })

  it('for one account hold up neither another account there nor the account elsewhere', () => {
    const { attempts, wrong } = start()
    wrong(10)
    expect(attempts.wait('ann', '10.0.0.1')).toBeGreaterThan(0)
    expect(attempts.wait('bob', '10.0.0.1')).toBe(0)
    expect(attempts.wait('ann', '10.0.0.2')).toBe(0)
  })

  it('for many accounts hold up the address, but not for who has logged in from there before', () => {
    const { attempts, wrong } = start()
    attempts.begin('ann', '10.0.0.1')
    attempts.right('ann', '10.0.0.1')
    for (let i = 0; i < 50; i++) wrong(1, `user${i}`)
    expect(attempts.wait('another', '10.0.0.1')).toBeGreaterThan(0)
    expect(attempts.wait('another', '10.0.0.2')).toBe(0)
    expect(attempts.wait('ann', '10.0.0.1')).toBe(0)
    wrong(10, 'ann')
    expect(attempts.wait('ann', '10.0.0.1')).toBeGreaterThan(0)
  })

  it('from many addresses hold up the account, but not where it has logged in before', () => {
    const { attempts, wrong } = start()
    attempts.begin('ann', '10.9.9.9')
    attempts.right('ann', '10.9.9.9')
    for (let i = 0; i < 100; i++) wrong(1, 'ann', `10.0.1.${i}`)
    expect(attempts.wait('ann', '10.0.2.1')).toBeGreaterThan(0)
    expect(attempts.wait('ann', '10.9.9.9')).toBe(0)
  })

  it('are forgotten after a right one, and after an hour', () => {
    const { clock, attempts, wrong } = start()
    wrong(5)
    attempts.right('ann', '10.0.0.1')
    expect(attempts.wait('ann', '10.0.0.1')).toBe(0)
    wrong(12)
    clock.advance(3_600_000)
    wrong(1)
    expect(attempts.wait('ann', '10.0.0.1')).toBe(0)
  })

  it('are told by the /64 of an IPv6 address, and mapped addresses by their IPv4', () => {
    const { attempts, wrong } = start()
    wrong(10, 'ann', '2001:db8:1:2::1')
    expect(attempts.wait('ann', '2001:db8:1:2:ffff::9')).toBeGreaterThan(0)
    expect(attempts.wait('ann', '2001:db8:1:3::1')).toBe(0)
    wrong(10, 'bob', '::ffff:10.0.0.1')
    expect(attempts.wait('bob', '10.0.0.1')).toBeGreaterThan(0)
    expect(attempts.wait('bob', '::ffff:10.0.0.2')).toBe(0)
  })

  it('right ones never add up', () => {
    const { attempts } = start()
    for (let i = 0; i < 1_000; i++) {
      attempts.begin(`user${i % 7}`, '10.0.0.1')
      attempts.right(`user${i % 7}`, '10.0.0.1')
    }
    expect(attempts.wait('anybody', '10.0.0.1')).toBe(0)
  })
})

import { expect, it } from 'vitest'
import { Bandwidth } from '../../src/cache/bandwidth.ts'

it('holds fetches to the cap', async () => {
  const bandwidth = new Bandwidth(1_000_000)
  const started = performance.now()
  for (let i = 0; i < 10; i++) await bandwidth.take(30_000, () => true)
  // Ten times 30 ms, less the last, which is paid by whoever comes next, and a small start.
  expect(performance.now() - started).toBeGreaterThan(200)
})

it('serves who is waited for before who is ahead', async () => {
  const bandwidth = new Bandwidth(1_000_000)
  const order: string[] = []
  const take = (name: string, wanted: boolean) => bandwidth.take(60_000, () => wanted).then(() => order.push(name))
  await Promise.all([take('first', false), take('second', false), take('ahead', false), take('reader', true)])
  expect(order.indexOf('reader')).toBeLessThan(order.indexOf('ahead'))
})

it('does not hold anyone without a cap', async () => {
  await new Bandwidth(Infinity).take(1e12, () => false)
})

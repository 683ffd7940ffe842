import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw, type Received } from '../helpers/http.ts'
import { basic, passwordOf, startWithUsers } from '../helpers/login.ts'
import type { BerthOptions } from '../helpers/start.ts'

async function start(settings: BerthOptions = {}) {
  const clock = makeClock()
  const { url } = await startWithUsers({ clock, ...settings })
  /** Asks for the base of the API from an address of loopback. */
  const login = (user: string, password: string, localAddress = '127.0.0.1'): Promise<Received> =>
    fetchRaw(`${url}/v2/`, { headers: basic(user, password), agent: new Agent({ localAddress }) })
  const guess = async (times: number, user: string, localAddress?: string) => {
    const statuses: number[] = []
    for (let i = 0; i < times; i++) statuses.push((await login(user, `guess ${i}`, localAddress)).status)
    return statuses
  }
  return { url, clock, login, guess }
}

describe('who guesses passwords', () => {
  it('has to wait after five, also with the right one, and can log in after the wait', async () => {
    const { clock, login, guess } = await start()
    expect(await guess(6, 'ann')).toEqual([401, 401, 401, 401, 401, 429])
    const refused = await login('ann', passwordOf('ann'))
    expectError(refused, 'TOOMANYREQUESTS')
    clock.advance(Number(refused.headers['retry-after']) * 1_000)
    expect((await login('ann', passwordOf('ann'))).status).toBe(200)
  })

  it('keeps nobody else out: not the account elsewhere, not others there, not who is logged in', async () => {
    const { login, guess } = await start()
    expect((await login('carl', passwordOf('carl'))).status).toBe(200)
    for (const user of ['ann', 'carl']) expect((await guess(10, user)).at(-1)).toBe(429)
    expect((await login('ann', passwordOf('ann'), '127.0.0.2')).status).toBe(200)
    expect((await login('bob', passwordOf('bob'))).status).toBe(200)
    expect((await login('carl', passwordOf('carl'))).status).toBe(200)
  })

  it('cannot do so many at once instead', async () => {
    const { login } = await start()
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => login('ann', `guess ${i}`)))
    expect(all.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(5)
  })

  it('is stopped at the token server as well', async () => {
    const { url } = await start()
    const statuses: number[] = []
    for (let i = 0; i < 6; i++)
      statuses.push((await fetchRaw(`${url}/token`, { headers: basic('ann', `guess ${i}`) })).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    const body = new URLSearchParams({ grant_type: 'password', username: 'ann', password: 'guess' }).toString()
    expect((await fetchRaw(`${url}/token`, { method: 'POST', body })).status).toBe(429)
  })

  it.each(['/v2/', '/token', '/metrics', '/api/v1/tokens'])(
    'is known at %s by the address that a trusted proxy tells, and nobody else behind it waits',
    async (path) => {
      const { url } = await start({ trustedProxies: ['127.0.0.1'] })
      const from = (client: string, password: string) =>
        fetchRaw(url + path, { headers: { ...basic('ann', password), 'x-forwarded-for': client } })
      for (let i = 0; i < 5; i++) expect((await from('203.0.113.1', `guess ${i}`)).status).toBe(401)
      expect((await from('203.0.113.1', passwordOf('ann'))).status).toBe(429)
      expect((await from('203.0.113.2', passwordOf('ann'))).status).toBe(200)
    },
  )

  it('is known by its own address, whatever it writes itself, where no proxy is trusted', async () => {
    const { url } = await start()
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) {
      const headers = { ...basic('ann', `guess ${i}`), 'x-forwarded-for': `203.0.113.${i}` }
      statuses.push((await fetchRaw(`${url}/v2/`, { headers })).status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('learns nothing about who is there: not from the answer, and not from the time it takes', async () => {
    const { login } = await start()
    const times: Record<string, number[]> = { ann: [], nobody: [] }
    const answers = new Set<string>()
    for (let i = 0; i < 9; i++) {
      for (const user of ['ann', 'nobody']) {
        const began = performance.now()
        const answer = await login(user, 'guess', `127.0.1.${i + 1}`)
        times[user]!.push(performance.now() - began)
        answers.add(`${answer.status} ${answer.text()}`)
      }
    }
    expect(answers.size).toBe(1)
    const median = (user: string) => times[user]!.sort((a, b) => a - b)[4]!
    // Without a comparison it would be a hundredth.
    expect(median('nobody') / median('ann')).toBeGreaterThan(0.3)
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, pushApplication, startScene } from '../helpers/pages.ts'
import { hookOf, startReceiver } from '../helpers/receiver.ts'

const json = { 'content-type': 'application/json' }

async function start(hook: object = {}) {
  const receiver = await startReceiver()
  const clock = makeClock(Date.now())
  const { berth } = await startScene({ clock, webhooks: [hookOf(receiver, hook)] })
  const get = async (path: string, headers: object = admin) => {
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}`, { headers: { ...headers } })
    return { status: answer.status, body: answer.json() }
  }
  const post = async (path: string, given: object, headers: object = admin) => {
    const sent = { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(given) }
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}`, sent)
    return { status: answer.status, body: answer.json() }
  }
  return { receiver, clock, berth, get, post }
}

describe('the admin API of webhooks', () => {
  it('tells what waits for a receiver that fails and why, and sends it again at once when told to', async () => {
    const { receiver, clock, berth, get, post } = await start({ events: ['tag.pushed'], match: ['team/*'] })
    receiver.status = 500
    await pushApplication(berth, ['1', '2'])
    const [state] = (await get('webhooks')).body as [object]
    const { host } = new URL(receiver.url)
    expect(state).toMatchObject({ name: 'ci', host, events: ['tag.pushed'], match: ['team/*'] })
    const settled = async () => JSON.stringify((await get('webhooks/waiting?name=ci')).body)
    await expect.poll(settled, { timeout: 10_000 }).toMatch(/"attempts":1.*"attempts":1/)
    const waiting = (await get('webhooks/waiting?name=ci')).body as { id: string }[]
    const about = { type: 'berth.tag.pushed', subject: 'team/app', problem: 'the receiver answered 500' }
    expect(waiting).toMatchObject([about, about])
    expect((await get('webhooks')).body).toMatchObject([
      { waiting: 2, last: { status: 500, problem: about.problem, attempts: 1, at: clock.now() } },
    ])

    receiver.status = 204
    const second = waiting[1]!.id
    expect((await post('webhooks/send', { name: 'ci', id: second })).body).toEqual({ events: 1 })
    expect((await receiver.received(1)).map(({ id }) => id)).toEqual([second])
    expect((await post('webhooks/send', { name: 'ci' })).body).toEqual({ events: 1 })
    await receiver.received(2)
    await expect
      .poll(async () => (await get('webhooks')).body, { timeout: 10_000 })
      .toMatchObject([{ waiting: 0, last: { status: 204, attempts: 2 } }])
    expect(JSON.stringify((await get('webhooks')).body)).not.toContain('problem')
  })

  it('sends a test event once, whatever events are wanted, and tells how it went', async () => {
    const { receiver, get, post } = await start({ events: ['tag.moved'] })
    receiver.status = 500
    expect((await post('webhooks/test', { name: 'ci' })).body).toMatchObject({
      type: 'berth.test',
      status: 500,
      problem: 'the receiver answered 500',
    })
    receiver.status = 202
    const { body } = await post('webhooks/test', { name: 'ci' })
    expect(body).toMatchObject({ type: 'berth.test', status: 202 })
    const [message] = await receiver.received(1)
    expect(message).toMatchObject({ type: 'berth.test', subject: 'ci', id: (body as { event: string }).event })
    expect((await get('webhooks')).body).toMatchObject([{ waiting: 0, last: { type: 'berth.test', status: 202 } }])
    expect(receiver.attempts).toHaveLength(2)
  })

  it('notes who did so', async () => {
    const { get, post } = await start()
    await post('webhooks/test', { name: 'ci' })
    await post('webhooks/send', { name: 'ci' })
    const { entries } = (await get('audit')).body as { entries: { action: string; user: string; detail: string }[] }
    expect(entries.slice(0, 2).map(({ action, user, detail }) => [action, user, detail])).toEqual([
      ['webhook sent again', 'ada', 'ci'],
      ['webhook tested', 'ada', 'ci'],
    ])
  })

  it('is for administrators, and knows no receiver but those of the settings', async () => {
    const { get, post } = await start()
    for (const path of ['webhooks', 'webhooks/waiting?name=ci', 'webhooks/waiting?name=none'])
      expect([path, (await get(path, {})).status]).toEqual([path, 401])
    for (const path of ['webhooks/send', 'webhooks/test']) {
      expect([path, (await post(path, { name: 'ci' }, {})).status]).toEqual([path, 401])
      expect([path, (await post(path, { name: 'none' })).status]).toEqual([path, 404])
    }
    expect((await get('webhooks/waiting?name=none')).status).toBe(404)
  })

  it('shows nobody the path of a URL, nor the secret', async () => {
    const closed = 'http://127.0.0.1:9/hooks/t0k3n'
    const { receiver, berth, get, post } = await start({ url: closed })
    await pushApplication(berth, ['1'])
    const tested = await post('webhooks/test', { name: 'ci' })
    expect(tested.body).toMatchObject({ problem: expect.stringContaining('ECONNREFUSED') as string })
    const seen = [JSON.stringify([tested, await get('webhooks'), await get('webhooks/waiting?name=ci')])]
    for (const path of ['/webhooks', '/webhooks/ci', '/metrics', '/audit'])
      seen.push((await fetchRaw(berth.url + path, { headers: admin })).text())
    for (const text of seen) {
      expect(text).not.toContain('t0k3n')
      expect(text).not.toContain(receiver.secret)
    }
  })
})

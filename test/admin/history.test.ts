import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'

const hour = 3_600_000
const json = { 'content-type': 'application/json' }
const app = 'team/app'

/** A namespace that ada and bob push to; ada is the admin, bob a user who may push, and carol one who may pull. */
async function start({ hosted, ...options }: BerthOptions & { hosted?: object } = {}) {
  const clock = makeClock()
  const berth = await startBerth({
    clock,
    access: {
      user: { username: 'ada', password: 'password of ada' },
      policy: [{ match: 'team/*', pull: ['anyone'], push: ['bob', 'ada'], delete: ['bob', 'ada'] }],
    },
    hosted: { namespaces: ['team'], ...hosted },
    ...options,
  })
  const send = async (method: string, path: string, given: Record<string, string>, headers: object = {}) => {
    const search = method === 'POST' ? '' : `?${new URLSearchParams(given).toString()}`
    const body = method === 'POST' ? { body: JSON.stringify(given) } : {}
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}${search}`, {
      method,
      headers: { ...json, ...headers },
      ...body,
    })
    return { status: answer.status, body: answer.json() as never }
  }
  const ada = basic('ada', 'password of ada')
  for (const name of ['bob', 'carol']) await send('POST', 'users', { name, password: `password of ${name}` }, ada)
  const [bob, carol] = ['bob', 'carol'].map((name) => basic(name, `password of ${name}`)) as [object, object]
  // The running server looks once a second for what has changed.
  const isKnown = async (headers: object) => (await send('GET', 'tokens', {}, headers)).status === 200
  for (const headers of [bob, carol]) await vi.waitUntil(() => isKnown(headers), { timeout: 10_000, interval: 500 })
  const pusherOf = (headers: object) => new Pusher(berth.url, app, headers as Record<string, string>)
  return {
    berth,
    clock,
    send,
    ada,
    bob,
    carol,
    adas: pusherOf(ada),
    bobs: pusherOf(bob),
    history: async (tag = '1', headers: object = {}) =>
      (await send('GET', 'history', { name: app, tag }, headers)).body as unknown[],
    rollBack: (digest: string, headers: object, tag = '1') =>
      send('POST', 'rollback', { name: app, tag, digest }, headers),
  }
}

describe('a hosted tag', () => {
  it('has a history of what it meant, since when, by whose hand, deletions too', async () => {
    const { adas, bobs, clock, history, berth } = await start()
    const one = await adas.image('1', 'one')
    clock.advance(hour)
    const two = await bobs.image('1', 'two')
    clock.advance(hour)
    await adas.send('DELETE', 'manifests/1')
    const at = clock.now()
    expect(await history()).toEqual([
      { seenAt: at, by: 'ada', here: false },
      { digest: two, seenAt: at - hour, by: 'bob', here: true },
      { digest: one, seenAt: at - 2 * hour, by: 'ada', here: true },
    ])
    const dated = async (time: number) => {
      const date = new Date(time).toISOString()
      return (await fetchRaw(`${berth.url}/v2/${app}/manifests/1@${date}`)).headers['docker-content-digest']
    }
    expect([await dated(at - 1.5 * hour), await dated(at - hour), await dated(at)]).toEqual([one, two, undefined])
  })

  it('is put back to what it meant before by who may push it, noted as a push', async () => {
    const { adas, bobs, bob, history, rollBack, send, ada } = await start()
    const one = await adas.image('1', 'one')
    const two = await bobs.image('1', 'two')
    expect((await rollBack(one, bob)).status).toBe(200)
    expect((await adas.send('GET', 'manifests/1')).headers['docker-content-digest']).toBe(one)
    const meanings = (await history()) as { digest: string; by: string }[]
    expect(meanings.map(({ digest, by }) => [digest, by])).toEqual([
      [one, 'bob'],
      [two, 'bob'],
      [one, 'ada'],
    ])
    const { entries } = (await send('GET', 'audit', { action: 'roll back' }, ada)).body as { entries: object[] }
    expect(entries).toMatchObject([{ user: 'bob', name: app, detail: `1 to ${one}` }])
  })

  it('comes back after it was deleted', async () => {
    const { adas, ada, rollBack, send, bob, carol } = await start()
    const one = await adas.image('1', 'one')
    await adas.send('DELETE', 'manifests/1')
    expect((await send('GET', 'deleted-tags', { name: app }, bob)).body).toMatchObject([{ tag: '1' }])
    expect((await send('GET', 'deleted-tags', { name: app }, carol)).status).toBe(403)
    expect((await rollBack(one, ada)).status).toBe(200)
    expect((await adas.send('GET', 'manifests/1')).status).toBe(200)
    expect((await send('GET', 'deleted-tags', { name: app }, bob)).body).toEqual([])
  })

  it('is put back to nothing that it never meant, nor to what is gone, nor by who may not push', async () => {
    const { adas, bobs, bob, carol, rollBack } = await start()
    const one = await adas.image('1', 'one')
    const two = await bobs.image('1', 'two')
    const other = await bobs.image('2', 'other')
    expect(await rollBack(other, bob)).toMatchObject({ status: 404, body: { errors: [{ code: 'MANIFEST_UNKNOWN' }] } })
    expect((await rollBack(one, carol)).status).toBe(403)
    expect((await rollBack(one, {})).status).toBe(401)
    await adas.send('DELETE', `manifests/${one}`)
    expect(await rollBack(one, bob)).toMatchObject({ status: 404, body: { errors: [{ code: 'MANIFEST_UNKNOWN' }] } })
    expect((await adas.send('GET', 'manifests/1')).headers['docker-content-digest']).toBe(two)
  })

  it('stays where it is immutable, and comes back only as far as the quota of tags goes', async () => {
    const quotas = [{ namespace: 'team', tags: 1 }]
    const { adas, ada, rollBack } = await start({ hosted: { immutableTags: ['team/app:v*'], quotas } })
    const one = await adas.image('1', 'one')
    await adas.send('DELETE', 'manifests/1')
    await adas.image('v2', 'two')
    expect(await rollBack(one, ada)).toMatchObject({ status: 403, body: { errors: [{ code: 'DENIED' }] } })
    expect((await adas.send('GET', 'manifests/1')).status).toBe(404)
  })

  it('that goes back tells receivers of webhooks, as a push does', async () => {
    const receiver = await startReceiver()
    const secretFile = join(makeFolder({ secret: receiver.secret }), 'secret')
    const hook = { name: 'ci', url: receiver.url, secretFile, events: ['tag.pushed'] }
    const { adas, ada, rollBack } = await start({ webhooks: [hook], clock: makeClock(Date.now()) })
    const one = await adas.image('1', 'one')
    const two = await adas.image('1', 'two')
    await rollBack(one, ada)
    expect((await receiver.received(3)).map(({ data }) => data.digest).sort()).toEqual([one, two, one].sort())
  })

  it('tells nothing of its past to those who may not see what it is', async () => {
    const access = { user: { username: 'ada', password: 'password of ada' } }
    const { adas, send, carol } = await start({ access })
    await adas.image('1', 'one')
    expect((await send('GET', 'history', { name: app, tag: '1' })).status).toBe(401)
    for (const name of [app, 'team/none']) {
      expect([name, (await send('GET', 'history', { name, tag: '1' }, carol)).status]).toEqual([name, 404])
    }
  })
})

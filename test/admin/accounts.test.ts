import { describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { admin, startScene } from '../helpers/pages.ts'

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const bob = basic('bob', 'bobs password')
const eve = basic('eve', 'eves password')

/** Users bob and eve, of whom bob owns the organization crew. */
async function start() {
  const { berth } = await startScene()
  const call = async (method: string, path: string, given: Record<string, unknown> = {}, headers: object = admin) => {
    const inQuery = method !== 'POST' ? `?${new URLSearchParams(given as Record<string, string>).toString()}` : ''
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}${inQuery}`, {
      method,
      headers: { ...headers, ...(method === 'POST' && { 'content-type': 'application/json' }) },
      ...(method === 'POST' && { body: JSON.stringify(given) }),
    })
    return { status: answer.status, body: answer.json() as never, text: answer.text() }
  }
  await call('POST', 'users', { name: 'bob', password: 'bobs password' })
  await call('POST', 'users', { name: 'eve', password: 'eves password' })
  await call('POST', 'organizations', { name: 'crew' })
  await call('POST', 'members', { organization: 'crew', user: 'bob', role: 'owner' })
  // The running server looks once a second for what has changed.
  const isKnown = (headers: object) =>
    expect.poll(async () => (await call('GET', 'tokens', {}, headers)).status, { timeout: 5_000 }).toBe(200)
  await isKnown(bob)
  await isKnown(eve)
  return { berth, call }
}

describe('accounts', () => {
  it('are listed and changed by admins alone', async () => {
    const { call } = await start()
    expect((await call('GET', 'accounts')).body).toMatchObject([
      { name: 'bob', kind: 'user' },
      { name: 'crew' },
      { name: 'eve' },
    ])
    expect((await call('GET', 'account', { name: 'crew' })).body).toMatchObject({
      members: [{ user: 'bob', role: 'owner' }],
    })
    const changes = [
      ['GET', 'accounts', {}],
      ['GET', 'account', { name: 'bob' }],
      ['POST', 'users', { name: 'mallory', password: 'a good one' }],
      ['POST', 'organizations', { name: 'gang' }],
      ['POST', 'users/password', { name: 'bob', password: 'a good one' }],
      ['POST', 'grants', { name: 'crew', account: 'eve', role: 'owner' }],
      ['POST', 'members', { organization: 'crew', user: 'eve', role: 'owner' }],
      ['POST', 'visibility', { name: 'crew/app', public: true }],
      ['DELETE', 'account', { name: 'bob' }],
    ] as const
    for (const [method, path, given] of changes) {
      expect([path, (await call(method, path, given, {})).status]).toEqual([path, 401])
      expect([path, (await call(method, path, given, eve)).status]).toEqual([path, 403])
    }
    expect((await call('DELETE', 'account', { name: 'eve' })).status).toBe(200)
    expect((await call('DELETE', 'account', { name: 'eve' })).status).toBe(404)
  })

  it('are refused in the words of the command line', async () => {
    const { call } = await start()
    const refused = [
      [{ name: 'bob', password: 'long enough' }, /already/],
      [{ name: 'short', password: '1234567' }, /8 to 256 characters/],
      [{ name: 'docker.io', password: 'long enough' }, /lower-case letters/],
      [{ name: 'ada', password: 'long enough' }, /of the settings/],
    ] as const
    for (const [given, message] of refused) {
      const { status, text } = await call('POST', 'users', given)
      expect([status, text]).toEqual([400, expect.stringMatching(message)])
    }
  })
})

describe('tokens', () => {
  it('have a hundred scopes at most, of which none is longer than a name', async () => {
    const { call } = await start()
    const make = (scopes: string[]) => call('POST', 'tokens', { owner: 'bob', name: '', scopes }, bob)
    expect((await make(Array<string>(101).fill('bob/*:pull'))).text).toContain('at most 100 scopes, saw 101')
    expect((await make([`${'*a'.repeat(200)}:pull`])).status).toBe(400)
  })

  const order = { owner: 'bob', name: 'ci', scopes: ['bob/*:pull,push'] }

  it('are shown once, open what they are for, and end when they are revoked', async () => {
    const { berth, call } = await start()
    const { token, record } = (await call('POST', 'tokens', order, bob)).body as {
      token: string
      record: { id: string }
    }
    const opens = async () => (await fetchRaw(`${berth.url}/v2/`, { headers: basic('bob', token) })).status
    await expect.poll(opens, { timeout: 5_000 }).toBe(200)
    const listed = await call('GET', 'tokens', {}, bob)
    expect(listed.body).toMatchObject([{ id: record.id, name: 'ci', scopes: ['bob/*:pull,push'] }])
    expect(listed.text).not.toContain(token)
    expect(listed.text).not.toMatch(/secretHash|[0-9a-f]{64}/)
    expect((await call('DELETE', 'tokens', { id: record.id }, bob)).status).toBe(200)
    await expect.poll(opens, { timeout: 5_000 }).toBe(401)
  })

  it('are made and revoked by who owns them, or by an admin', async () => {
    const { call } = await start()
    const { record } = (await call('POST', 'tokens', order, bob)).body as { record: { id: string } }
    expect((await call('POST', 'tokens', order, eve)).status).toBe(403)
    expect((await call('POST', 'tokens', { ...order, owner: 'crew' }, bob)).status).toBe(200)
    expect((await call('POST', 'tokens', { ...order, owner: 'crew' }, eve)).status).toBe(403)
    for (const id of [record.id, 'none']) expect((await call('DELETE', 'tokens', { id }, eve)).status).toBe(403)
    expect((await call('GET', 'tokens', {}, eve)).body).toEqual([])
    expect((await call('DELETE', 'tokens', { id: record.id })).status).toBe(200)
  })

  it('make no tokens, and administer nothing', async () => {
    const { call } = await start()
    const made = await call('POST', 'tokens', { ...order, owner: 'ada', scopes: ['**:pull,push,delete'] })
    const robot = basic('ada', (made.body as { token: string }).token)
    await expect.poll(async () => (await call('GET', 'tokens', {}, robot)).status, { timeout: 5_000 }).toBe(403)
    for (const path of ['cache', 'accounts', 'fills']) expect((await call('GET', path, {}, robot)).status).toBe(403)
    expect((await call('POST', 'tokens', order, robot)).status).toBe(403)
  })
})

it('a password is changed by who knows the present one', async () => {
  const { berth, call } = await start()
  expect((await call('POST', 'password', { present: 'wrong', next: 'a better one' }, bob)).status).toBe(401)
  const isIn = async (password: string) => (await call('GET', 'tokens', {}, basic('bob', password))).status
  // A token logs in under any name, and is still nobody's password.
  for (const [owner, headers] of [
    ['eve', eve],
    ['bob', bob],
  ] as const) {
    const made = await call('POST', 'tokens', { owner, name: '', scopes: ['**:pull'] }, headers)
    const { token } = made.body as { token: string }
    const known = () => fetchRaw(`${berth.url}/v2/`, { headers: basic('x', token) }).then(({ status }) => status)
    await expect.poll(known, { timeout: 5_000 }).toBe(200)
    expect((await call('POST', 'password', { present: token, next: 'a stolen one' }, bob)).status).toBe(401)
  }
  expect((await call('POST', 'password', { present: 'bobs password', next: 'a better one' }, bob)).status).toBe(200)
  await expect.poll(() => isIn('a better one'), { timeout: 5_000 }).toBe(200)
  expect(await isIn('bobs password')).toBe(401)
})

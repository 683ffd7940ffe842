import { Agent } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { verify } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { addUser } from '../helpers/cli.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw, type Received, type Sent } from '../helpers/http.ts'
import { basic, passwordOf, startWithUsers } from '../helpers/login.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { Visitor } from '../helpers/visitor.ts'

/** What the library of argon2 is asked for, and how much of it at once. It does all its work. */
const hashes = { all: 0, now: 0, most: 0 }

const forgetHashes = () => Object.assign(hashes, { all: 0, now: 0, most: 0 })

// Before Berth loads it, which is with the first password. vi.mock gives the library itself to one of two that load it at once.
const argon2 = createRequire(import.meta.url)('@node-rs/argon2') as Record<'hash' | 'verify', typeof verify>
for (const name of ['hash', 'verify'] as const) {
  const work = argon2[name]
  argon2[name] = (...given) => {
    hashes.all++
    hashes.most = Math.max(hashes.most, ++hashes.now)
    return work(...given).finally(() => hashes.now--)
  }
}

/** More would take the threads that reading files needs. */
const mostAtOnce = 2

let places = 0

/** Asks from an address of its own, at which nobody was wrong before. */
const ask = (url: string, sent: Sent) =>
  fetchRaw(url, { ...sent, agent: new Agent({ localAddress: `127.3.0.${++places}` }) })

const post = (url: string, type: string, body: string, headers = {}) =>
  ask(url, { method: 'POST', headers: { ...headers, 'content-type': type }, body })

const change = (url: string, user: string, given: object) =>
  post(url, 'application/json', JSON.stringify(given), basic(user))

type Way = (url: string, user: string, password: string) => Promise<Received>

const byBasic =
  (path: string): Way =>
  (url, user, password) =>
    ask(url + path, { headers: basic(user, password) })

const byForm: Way = (url, username, password) => {
  const body = new URLSearchParams({ grant_type: 'password', username, password }).toString()
  return post(`${url}/token`, 'application/x-www-form-urlencoded', body)
}

const byPage: Way = async (url, username, password) => {
  const visitor = new Visitor()
  return visitor.submit(await visitor.get(`${url}/login`), '/login', { username, password })
}

const apiWays = { '/v2/': byBasic('/v2/'), '/token': byBasic('/token?offline_token=true'), form: byForm }
const ways = {
  ...apiWays,
  mirror: byBasic('/token?scope=repository:library/node:pull'),
  admin: byBasic('/api/v1/tokens'),
  metrics: byBasic('/metrics'),
  page: byPage,
}

const others = Array.from({ length: 12 }, (_, i) => `user${i}`)
const repository = { blobs: { a: 'a layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }

async function start() {
  const upstream = await startUpstream({ content: { 'library/node': repository } })
  const data = join(makeFolder(), 'data')
  for (const user of others) await addUser(data, user, passwordOf(user))
  const clock = makeClock()
  const { url } = await startWithUsers({ data, clock, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  forgetHashes()
  return { url, upstream }
}

describe('many at once', () => {
  it('log in, sixteen of them, or are refused, while pulls go on, and two hashes at most are computed at the same time', async () => {
    const { url, upstream } = await start()
    const { content } = upstream
    const pulled = async (path: string) => {
      const { status, raw } = await fetchRaw(`${url}/v2/docker.io/library/node/${path}`)
      return `${status} ${raw.toString()}`
    }
    const [manifest, layer] = ['manifests/1', `blobs/${content.digest('library/node', 'a')}`] as const
    const text = (name: string) => `200 ${content.bytes('library/node', name).toString()}`
    expect(await pulled(manifest)).toBe(text('m'))
    expect(await pulled(layer)).toBe(text('a'))
    await expect.poll(async () => (await byBasic('/api/v1/fills')(url, 'root', passwordOf('root'))).text()).toBe('[]')
    upstream.forget()
    forgetHashes()

    const wrong = ['ann', 'bob', 'nobody', 'somebody']
    const by = (i: number) => Object.values(apiWays)[i % 3]!
    let over = false
    const logins = Promise.all([
      ...others.map((user, i) => by(i)(url, user, passwordOf(user))),
      ...wrong.map((user, i) => by(i)(url, user, 'wrong')),
    ]).finally(() => (over = true))
    const pulls: string[] = []
    do pulls.push(...(await Promise.all([pulled(manifest), pulled(layer)])))
    while (!over)
    expect((await logins).map(({ status }) => status)).toEqual([...others.map(() => 200), ...wrong.map(() => 401)])
    expect(new Set(pulls)).toEqual(new Set([text('m'), text('a')]))
    expect(upstream.requests).toEqual([])
    // One for each login, and one to compare with where there is no such user.
    expect(hashes).toEqual({ all: 17, now: 0, most: mostAtOnce })
  })

  it('have new passwords, and two hashes at most are computed at the same time', async () => {
    const { url } = await start()
    const changes = await Promise.all([
      ...others.map((user) =>
        change(`${url}/api/v1/password`, user, { present: passwordOf(user), next: `${user} next` }),
      ),
      ...others.map((user) => change(`${url}/api/v1/users`, 'root', { name: `${user}-2`, password: 'the password' })),
    ])
    expect(new Set(changes.map(({ status }) => status))).toEqual(new Set([200]))
    expect(hashes.all).toBeGreaterThan(changes.length)
    expect(hashes.most).toBe(mostAtOnce)
  })
})

it('a user who is not there costs one hash and is told the same, to the byte, as one with a wrong password', async () => {
  const { url } = await start()
  // What is compared where there is no user is made once.
  await ways['/v2/'](url, 'nobody', 'wrong')
  for (const [way, login] of Object.entries(ways)) {
    const seen = async (user: string) => {
      const before = hashes.all
      const { status, raw, headers } = await login(url, user, 'wrong')
      const { date: _, 'set-cookie': __, ...others } = headers
      return {
        way,
        cost: hashes.all - before,
        status,
        text: raw.toString().replace(/name="token" value="[^"]+"/, ''),
        others,
      }
    }
    const known = await seen('ann')
    expect([known.cost, known.status]).toEqual([1, way === 'mirror' ? 200 : 401])
    for (const user of ['nobody', 'team', 'ANN', 'token', 'x'.repeat(2_000)]) expect(await seen(user)).toEqual(known)
  }
})

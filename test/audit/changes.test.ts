import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runBerth } from '../helpers/cli.ts'
import { FormSender } from '../helpers/forms.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic } from '../helpers/login.ts'
import { admin, password, startScene, type Scene } from '../helpers/pages.ts'
import { Pusher } from '../helpers/push.ts'
import { changes, type Change, type World } from './changes.ts'

interface Entry {
  number: number
  action: string
  user?: string
  address?: string
  name?: string
  detail?: string
}

const ways = ['pages', 'api', 'command', 'elsewhere', 'registry'] as const
type Way = (typeof ways)[number]

let scene: Scene
let world: World
let browser: FormSender
let token: string
let last = 0

async function call(method: string, path: string, given: Record<string, unknown> = {}, headers: object = admin) {
  const takesJson = method === 'POST' || method === 'PUT'
  const query = takesJson ? '' : `?${new URLSearchParams(given as Record<string, string>).toString()}`
  const answer = await fetchRaw(`${scene.berth.url}/api/v1${path}${query}`, {
    method,
    headers: { ...headers, ...(takesJson && { 'content-type': 'application/json' }) },
    ...(takesJson && { body: JSON.stringify(given) }),
  })
  expect([method, path, answer.status]).toEqual([method, path, 200])
  return answer.json()
}

/** What was noted since this was called last. */
async function news(): Promise<Entry[]> {
  const { entries } = (await call('GET', '/audit/log', { after: String(last) })) as { entries: Entry[] }
  last = entries.at(-1)?.number ?? last
  return entries
}

beforeAll(async () => {
  scene = await startScene({
    access: {
      user: { username: 'ada', password },
      oidc: [{ name: 'corp', issuer: 'http://127.0.0.1:9/', clientId: 'berth' }],
    },
    warm: [{ name: 'base', references: ['docker.io/library/node:20'] }],
    webhooks: [{ name: 'ci', url: 'http://127.0.0.1:9/', secretFile: fileURLToPath(import.meta.url) }],
  })
  scene.upstream.hold(/manifests\/held-/)
  const { url } = scene.berth
  await scene.pull('library/node', '20')
  const pusher = new Pusher(url, 'team/app', admin)
  world = { call: (method, path, given) => call(method, path, given), pusher, person: 'bob', password: 'bobs password' }
  await call('POST', '/users', { name: 'bob', password: 'bobs password' })
  token = ((await call('POST', '/tokens', { owner: 'ada', scopes: ['admin'] })) as { token: string }).token
  browser = new FormSender(url)
  await browser.logIn('ada', password)
})
afterAll(() => scene?.stop())

async function command(argv: readonly string[], env: NodeJS.ProcessEnv, input = '') {
  const { code, err } = await runBerth(argv, env, input)
  expect([argv.join(' '), code, code === 0 ? '' : err]).toEqual([argv.join(' '), 0, ''])
}

/** Makes the change by one way; false where it has no such way. */
async function make(change: Change, way: Way): Promise<boolean> {
  const { pages, api, registry, password: asked } = change
  const { url, data } = scene.berth
  if (way === 'pages' && pages) await browser.send(...pages)
  else if (way === 'api' && api) await call(...api)
  else if (way === 'command' && change.command) await command(change.command, { BERTH_STORAGE_DATA: data }, asked)
  else if (way === 'elsewhere' && change.command)
    await command(change.command, { BERTH_SERVER: url, BERTH_TOKEN: token, HOME: '/nowhere' }, asked)
  else if (way === 'registry' && registry) await registry(world.pusher)
  else return false
  return true
}

const whoBy = (way: Way) =>
  way === 'command'
    ? { user: 'command line', address: expect.stringMatching(/^local user \S/) as string }
    : { user: 'ada', address: '127.0.0.1' }

describe('the audit log names who did it, and from where', () => {
  it.each(Object.entries(changes))('%s, by every way there is', async (title, makeChange) => {
    const done: Way[] = []
    for (const way of ways) {
      const word = `${title.replace(/[^a-z]/g, '')}-${way}`
      const change = await makeChange(word, world)
      await news()
      if (!(await make(change, way))) continue
      done.push(way)
      const { action, name, detail } = change.entry
      const noted = (await news()).filter((entry) => entry.action === action)
      expect({ way, noted }).toEqual({
        way,
        noted: [
          expect.objectContaining({
            action,
            ...whoBy(way),
            ...(name !== undefined && { name }),
            ...(detail !== undefined && {
              detail: typeof detail === 'string' ? detail : (expect.stringMatching(detail) as string),
            }),
          }),
        ],
      })
    }
    expect(done.length).toBeGreaterThan(0)
  })

  it('every call that changes something is in that table, or below', async () => {
    const { paths } = (await call('GET', '/openapi.json')) as { paths: Record<string, Record<string, unknown>> }
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
    )
    const all: Change[] = []
    for (const [title, makeChange] of Object.entries(changes)) {
      all.push(await makeChange(title.replace(/\W/g, ''), world))
    }
    const called = new Set(all.map(({ api }) => api && `${api[0]} ${api[1]}`))
    const others = described.filter((one) => !one.startsWith('GET ') && !called.has(one))
    expect(others.sort()).toEqual(['POST /login', 'POST /password'])
  })
})

describe('a login is noted', () => {
  const login = { action: 'login', user: 'bob', address: '127.0.0.1', detail: 'password' }
  const logins = async () => (await news()).filter(({ action }) => action.startsWith('login'))
  const bobs = { username: 'bob', password: 'bobs password' }

  it('on pages, by the API and by commands each time, also where the password was right just now', async () => {
    const home = makeFolder()
    const ways = {
      pages: () => new FormSender(scene.berth.url).logIn('bob', 'bobs password'),
      api: () => call('POST', '/login', bobs, {}),
      command: () => command(['login', scene.berth.url, '--username', 'bob'], { HOME: home }, 'bobs password'),
    }
    for (const [way, logIn] of Object.entries(ways)) {
      for (let i = 0; i < 2; i++) {
        await news()
        await logIn()
        expect([way, await logins()]).toEqual([way, [expect.objectContaining(login)]])
      }
    }
  })

  it('of the registry where the password was not right just now', async () => {
    await call('POST', '/users', { name: 'carl', password: 'carls password' })
    await news()
    for (let i = 0; i < 3; i++) {
      await fetchRaw(`${scene.berth.url}/v2/`, { headers: basic('carl', 'carls password') })
    }
    expect(await logins()).toEqual([expect.objectContaining({ ...login, user: 'carl' })])
  })

  it('that is refused, too, and never what was tried', async () => {
    await news()
    const wrong = { username: 'bob', password: 'a wrong guess' }
    const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wrong) }
    expect((await fetchRaw(`${scene.berth.url}/api/v1/login`, sent)).status).toBe(401)
    expect((await fetchRaw(`${scene.berth.url}/v2/`, { headers: basic('bob', 'a wrong guess') })).status).toBe(401)
    const noted = await logins()
    const refused = { action: 'login refused', user: 'bob', address: '127.0.0.1', detail: 'wrong' }
    expect(noted).toEqual([expect.objectContaining(refused), expect.objectContaining(refused)])
    expect(JSON.stringify(noted)).not.toContain('guess')
  })

  it('as is the password that somebody changes, on pages and by the API', async () => {
    const change = {
      action: 'account changed',
      user: 'bob',
      address: '127.0.0.1',
      name: 'bob',
      detail: 'password changed',
    }
    const changed = async () => (await news()).filter(({ action }) => action === 'account changed')
    const page = new FormSender(scene.berth.url)
    await page.logIn('bob', 'bobs password')
    await news()
    await page.send('/account', { action: 'password', present: 'bobs password', next: 'another password' })
    expect(await changed()).toEqual([expect.objectContaining(change)])
    const given = { present: 'another password', next: 'bobs password' }
    await call('POST', '/password', given, basic('bob', 'another password'))
    expect(await changed()).toEqual([expect.objectContaining(change)])
  })
})

it('a tag that retention takes is noted as deleted, by the rule that took it', async () => {
  const other = await startScene({
    hosted: {
      namespaces: ['team'],
      collection: { grace: '0s', untagged: '0s' },
      retention: [{ match: 'team/*', keepLast: 1 }],
    },
  })
  const pusher = new Pusher(other.berth.url, 'team/app', admin)
  for (const tag of ['1', '2']) await pusher.image(tag, `layer ${tag}`)
  const { berth } = other
  await command(['collect'], { BERTH_STORAGE_DATA: berth.data })
  const { out } = await runBerth(['audit', '--action', 'delete'], { BERTH_STORAGE_DATA: berth.data })
  expect(JSON.parse(out)).toMatchObject({
    user: 'hosted.retention',
    name: 'team/app',
    detail: '1: no part of the retention rule team/* keeps it',
  })
})

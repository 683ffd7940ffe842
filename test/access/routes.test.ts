import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken, setUp } from '../helpers/cli.ts'
import { fetchRaw, type Received } from '../helpers/http.ts'
import { basic, bearer, startWithUsers, tokenFor } from '../helpers/login.ts'
import { clientSecret, logInBy, startLoginProvider, type LoginProvider } from '../helpers/login-provider.ts'
import { Pusher, sha256 } from '../helpers/push.ts'
import { type RunningBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { Visitor } from '../helpers/visitor.ts'

// Every route, for everybody. The same status is not enough: what one may not see must answer, to the letter, as what is
// not there.

const image = { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }
const absent = `sha256:${'0'.repeat(64)}`

type Who = 'nobody' | 'root' | 'ann' | 'bob' | 'carl' | 'eve' | 'robot' | 'token' | 'another' | 'wrong' | 'forged'
const users = ['root', 'ann', 'bob', 'carl', 'eve'] as const
const everybody: Who[] = ['nobody', 'root', 'ann', 'bob', 'carl', 'eve', 'robot', 'token', 'wrong', 'forged']

let upstream: Upstream
let berth: RunningBerth
let data: string
let provider: LoginProvider
let digest: string
const blob = sha256('secret layer')
const headersOf = {} as Record<Who, Record<string, string>>

beforeAll(async () => {
  upstream = await startUpstream({ content: { 'library/node': image } })
  data = mkdtempSync(join(tmpdir(), 'berth-test-'))
  provider = await startLoginProvider({ people: Object.fromEntries(users.map((user) => [user, {}])) })
  writeFileSync(join(data, 'provider-secret'), clientSecret)
  const oidc = [provider.settings(join(data, 'provider-secret'))]
  berth = await startWithUsers({ data, access: { oidc }, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  provider.admit(berth.url)
  await setUp(data, 'repo private team/secret')
  digest = await new Pusher(berth.url, 'team/app', basic('ann')).image('1', 'secret layer')
  await new Pusher(berth.url, 'team/secret', basic('ann')).image('1', 'secret layer')
  await new Pusher(berth.url, 'team/open', basic('ann')).image('1', 'open layer')
  const robot = await createToken(data, 'team', 'team/app:pull')
  for (const user of users) headersOf[user] = basic(user)
  Object.assign(headersOf, {
    nobody: {},
    robot: basic('robot', robot),
    token: bearer(await tokenFor(berth.url, 'repository:team/app:pull', 'ann')),
    another: bearer(await tokenFor(berth.url, 'repository:eve/app:pull', 'eve')),
    forged: bearer(`${(await tokenFor(berth.url, [], 'root')).slice(0, -4)}AAAA`),
  })
  await until('robot', '/v2/', 200)
})

/** What the command line changes is seen by the server within a moment. */
async function until(who: Who, path: string, status: number): Promise<void> {
  const deadline = Date.now() + 5_000
  while ((await ask(who, 'GET', path)).status !== status) expect(Date.now()).toBeLessThan(deadline)
}

afterAll(async () => {
  await berth.stop()
  await provider.stop()
  await upstream.stop()
  rmSync(data, { recursive: true, force: true })
})

let guesses = 0

function ask(who: Who, method: string, path: string): Promise<Received> {
  if (who !== 'wrong') return fetchRaw(berth.url, { method, path, headers: headersOf[who] })
  // Each from an address of its own, for who is wrong too often has to wait.
  const agent = new Agent({ localAddress: `127.1.${guesses >> 8}.${guesses & 255}` })
  const headers = basic(guesses % 2 === 0 ? 'ann' : `nobody${guesses}`, 'wrong')
  guesses++
  return fetchRaw(berth.url, { method, path, headers, agent })
}

async function statuses(method: string, path: string): Promise<Record<string, Who[]>> {
  const all: Record<string, Who[]> = {}
  for (const who of everybody) (all[String((await ask(who, method, path)).status)] ??= []).push(who)
  return all
}

const outsiders: Who[] = ['nobody', 'wrong', 'forged']
const insiders: Who[] = everybody.filter((who) => !outsiders.includes(who))

describe('a private repository', () => {
  const pulls = () => [
    'manifests/1',
    `manifests/${digest}`,
    `manifests/1@2026-01-01`,
    `blobs/${blob}`,
    'tags/list',
    'tags/list?n=1',
    `referrers/${digest}`,
  ]

  it('is pulled from by its organization, admins and robots for it alone', async () => {
    for (const path of pulls().filter((path) => !path.includes('@2026'))) {
      for (const method of ['GET', 'HEAD']) {
        expect([path, await statuses(method, `/v2/team/app/${path}`)]).toEqual([
          path,
          { 200: ['root', 'ann', 'bob', 'carl', 'robot', 'token'], 401: outsiders, 404: ['eve'] },
        ])
      }
    }
  })

  it('is pushed to by owners and writers alone', async () => {
    for (const [method, path] of [
      ['POST', 'blobs/uploads/'],
      ['POST', `blobs/uploads/?mount=${blob}`],
      ['POST', `blobs/uploads/?digest=${blob}`],
      ['PATCH', 'blobs/uploads/x'],
      ['PUT', `blobs/uploads/x?digest=${blob}`],
      ['DELETE', 'blobs/uploads/x'],
      ['GET', 'blobs/uploads/x'],
      ['PUT', 'manifests/none'],
    ] as const) {
      const seen = await statuses(method, `/v2/team/app/${path}`)
      // A token for pulls asks its client for another one.
      expect([path, seen['401'], seen['403']]).toEqual([
        path,
        ['nobody', 'token', 'wrong', 'forged'],
        ['carl', 'eve', 'robot'],
      ])
    }
  })

  it('is deleted from by owners alone', async () => {
    for (const path of ['manifests/none', `manifests/${absent}`, `blobs/${absent}`]) {
      expect([path, await statuses('DELETE', `/v2/team/app/${path}`)]).toEqual([
        path,
        { 401: ['nobody', 'token', 'wrong', 'forged'], 403: ['bob', 'carl', 'eve', 'robot'], 404: ['root', 'ann'] },
      ])
    }
  })

  it('answers with any other method as the guard says first', async () => {
    for (const method of ['OPTIONS', 'PROPFIND', 'MKCOL', 'PATCH']) {
      const {
        '401': unauthorized,
        '404': hidden = [],
        '403': denied = [],
      } = await statuses(method, '/v2/team/app/manifests/1')
      expect([method, unauthorized?.filter((who) => who !== 'token')]).toEqual([method, outsiders])
      expect([...hidden, ...denied]).toContain('eve')
    }
  })

  it('is reached by no odd form of its address', async () => {
    const forms = [
      '/v2/team/app/manifests/1/',
      '/v2//team/app/manifests/1',
      '/v2/team//app/manifests/1',
      '//v2/team/app/manifests/1',
      '/v2/team%2Fapp/manifests/1',
      '/v2/team/app%2Fmanifests%2F1',
      '/%76%32/team/app/manifests/1',
      '/v2/team/./app/manifests/1',
      '/v2/team/../team/app/manifests/1',
      '/v2/docker.io/../team/app/manifests/1',
      '/v2/team/app/manifests/%2e%2e/manifests/1',
      '/v2/%2e%2e/v2/team/app/manifests/1',
      '/V2/team/app/manifests/1',
      '/team/v2/app/manifests/1',
      '/v2/team/app/manifests/1;x=1',
      '/v2/team/app/manifests/1%00',
      '/v2/TEAM/app/manifests/1',
      'http://elsewhere/v2/team/app/manifests/1',
      '/v2/team/app/manifests/1?ns=',
      '/v2/team/app/manifests/1?access_token=x',
    ]
    for (const path of forms) {
      for (const who of ['nobody', 'eve'] as const) {
        const answer = await ask(who, 'GET', path)
        expect([path, who, answer.status >= 400]).toEqual([path, who, true])
        expect(answer.text()).not.toContain('secret layer')
      }
    }
  })

  it('is opened by no header that names another method, path or user', async () => {
    const odd = {
      'x-http-method-override': 'GET',
      'x-http-method': 'GET',
      'x-method-override': 'GET',
      'x-original-url': '/v2/',
      'x-rewrite-url': '/v2/',
      'x-forwarded-user': 'root',
      'x-remote-user': 'root',
      'x-forwarded-for': '127.0.0.1',
    }
    for (const [name, value] of Object.entries(odd)) {
      const headers = { ...headersOf.carl, [name]: value }
      const remove = await fetchRaw(`${berth.url}/v2/team/app/manifests/1`, { method: 'DELETE', headers })
      expect([name, remove.status]).toEqual([name, 403])
      const read = await fetchRaw(`${berth.url}/v2/team/app/manifests/1`, { headers: { [name]: value } })
      expect([name, read.status]).toEqual([name, 401])
    }
  })
})

describe('what one may not see', () => {
  const paths = ['manifests/1', `manifests/${absent}`, `blobs/${blob}`, 'tags/list', `referrers/${absent}`]
  const shape = (answer: Received, name: string) => {
    const { date: _, ...headers } = answer.headers
    return JSON.stringify([answer.status, headers, answer.text()])
      .replaceAll(name, 'NAME')
      .replace(/"content-length":"\d+"/, '')
  }

  it('answers as what is not there: private in a private namespace, and in a public one', async () => {
    await setUp(berth.data, 'repo public team')
    await until('eve', '/v2/team/app/manifests/1', 200)
    try {
      // The token is for another repository: what it is not for must not tell, either.
      for (const who of ['nobody', 'eve', 'another'] as const) {
        for (const path of paths) {
          const hidden = await ask(who, 'GET', `/v2/team/secret/${path}`)
          const missing = await ask(who, 'GET', `/v2/team/nowhere/${path}`)
          expect(shape(hidden, 'team/secret')).toBe(shape(missing, 'team/nowhere'))
          expect(hidden.status).toBe(who === 'nobody' ? 401 : 404)
        }
      }
    } finally {
      await setUp(berth.data, 'repo private team')
      await until('eve', '/v2/team/app/manifests/1', 404)
    }
  })

  it('gives no blob away by mounting it, by name or by digest alone', async () => {
    for (const query of [
      `mount=${blob}&from=team/secret`,
      `mount=${blob}&from=team/app`,
      `mount=${sha256('nowhere')}`,
    ]) {
      const answer = await ask('eve', 'POST', `/v2/eve/app/blobs/uploads/?${query}`)
      expect([query, answer.status]).toEqual([query, 202])
    }
    await new Pusher(berth.url, 'ann/app', basic('ann')).image('1', 'x')
    expect((await ask('ann', 'POST', `/v2/ann/app/blobs/uploads/?mount=${blob}`)).status).toBe(201)
  })

  it('is in nobody’s catalog', async () => {
    const catalog = async (who: Who) => {
      const answer = await ask(who, 'GET', '/v2/_catalog')
      return answer.status === 200 ? (answer.json() as { repositories: string[] }).repositories : answer.status
    }
    expect(await catalog('nobody')).toBe(401)
    expect(await catalog('wrong')).toBe(401)
    expect(await catalog('eve')).toEqual(['team/open'])
    expect(await catalog('carl')).toEqual(['team/app', 'team/open', 'team/secret'])
    expect(await catalog('robot')).toEqual(['team/app'])
    expect(await catalog('token')).toBe(401)
    const anonymous = bearer(await tokenFor(berth.url, 'registry:catalog:*'))
    const answer = await fetchRaw(`${berth.url}/v2/_catalog`, { headers: anonymous })
    expect(answer.json()).toEqual({ repositories: ['team/open'] })
  })
})

describe('everything else', () => {
  it('of an upstream is everybody’s to pull and nobody’s to change, but of a robot for something else', async () => {
    expect(await statuses('GET', '/v2/docker.io/library/node/manifests/1')).toEqual({
      200: ['nobody', 'root', 'ann', 'bob', 'carl', 'eve'],
      401: ['token', 'wrong', 'forged'],
      403: ['robot'],
    })
    const { '401': unauthorized, '403': denied } = await statuses('POST', '/v2/docker.io/library/node/blobs/uploads/')
    expect(unauthorized).toEqual(['wrong', 'forged'])
    expect(denied).toEqual(everybody.filter((who) => who !== 'wrong' && who !== 'forged'))
  })

  it('/v2/ is for those who log in, and a mirror’s address for everybody', async () => {
    expect(await statuses('GET', '/v2/')).toEqual({ 200: insiders, 401: outsiders })
    expect(await statuses('GET', '/docker.io/v2/')).toEqual({ 200: ['nobody', ...insiders], 401: ['wrong', 'forged'] })
  })

  it('/metrics is for those who log in; /healthz and /readyz are for everybody', async () => {
    expect(await statuses('GET', '/metrics')).toEqual({ 200: insiders, 401: outsiders })
    for (const path of ['/healthz', '/readyz']) expect(await statuses('GET', path)).toEqual({ 200: everybody })
  })

  it('is not there', async () => {
    for (const path of ['/admin', '/token/', '/TOKEN', '/v1/', '/v3/x']) {
      expect([path, await statuses('GET', path)]).toEqual([path, { 404: everybody }])
    }
  })

  it('pages of what one may not see ask for a login, or are not there', async () => {
    for (const path of [
      '/r/team/secret',
      `/r/team/secret/t/1`,
      '/api/v1/repository?name=team/secret',
      '/api/v1/tags?name=team/secret',
      '/api/v1/history?name=team/secret&tag=1',
    ]) {
      const { '200': seen, ...others } = await statuses('GET', path)
      expect([path, seen]).toEqual([path, ['root', 'ann', 'bob', 'carl']])
      expect([path, others]).toEqual([path, { 401: ['nobody', 'token', 'wrong', 'forged'], 404: ['eve', 'robot'] }])
    }
  })

  it('pages and the admin API tell nobody of a repository that may not be seen', async () => {
    for (const path of ['/', '/search', '/search?q=secret', '/api/v1/repositories']) {
      for (const who of everybody) {
        const told = (await ask(who, 'GET', path)).text().includes('team/secret')
        expect([path, who, told]).toEqual([path, who, ['root', 'ann', 'bob', 'carl'].includes(who)])
      }
    }
  })

  it('what concerns all is for admins with their password, on pages and in the admin API', async () => {
    for (const path of [
      '/cache',
      '/cache/collection',
      '/accounts',
      '/accounts/ann',
      '/audit',
      '/api/v1/audit',
      '/api/v1/cache',
      '/api/v1/fills',
      '/api/v1/accounts',
      '/api/v1/account?name=ann',
      '/api/v1/audit/log',
      '/api/v1/grants',
      '/api/v1/may?user=ann&action=push&name=team/app',
      '/api/v1/namespaces',
      '/api/v1/pins',
      '/api/v1/spending?since=0',
      '/api/v1/visibility',
    ]) {
      expect([path, await statuses('GET', path)]).toEqual([
        path,
        { 200: ['root'], 401: ['nobody', 'wrong', 'forged'], 403: ['ann', 'bob', 'carl', 'eve', 'robot', 'token'] },
      ])
    }
  })

  it('logins at a provider are begun by a form of ours alone, and ended by who began them', async () => {
    for (const [method, path, status] of [
      ['GET', '/login', 200],
      ['POST', '/login/oidc/corp', 403],
      ['GET', '/login/oidc/corp', 404],
      ['GET', '/login/oidc/corp/callback', 403],
      ['GET', '/login/oidc/corp/callback?code=x&state=y', 403],
      ['GET', '/login/oidc/other/callback', 404],
      ['GET', '/login/oidc/corp/callback/', 404],
      ['GET', '/login/oidc//callback', 404],
      ['PUT', '/login/oidc/corp', 403],
      ['POST', '/logout', 403],
    ] as const) {
      expect([method, path, await statuses(method, path)]).toEqual([method, path, { [status]: everybody }])
    }
    expect(provider.requests).toEqual([])
  })

  it('links of logins to users are changed by admins with their password', async () => {
    const query = '?user=ann&provider=corp&subject=nobody'
    expect(await statuses('DELETE', `/api/v1/links${query}`)).toEqual({
      400: ['root'],
      401: outsiders,
      403: insiders.filter((who) => who !== 'root'),
    })
    const { '415': read } = await statuses('POST', '/api/v1/links')
    expect(read).toEqual(everybody)
  })

  it('opens to who logged in at a provider as it does to the same user with a password', async () => {
    for (const user of users) await setUp(data, `user link ${user} --oidc ${provider.issuer} ${user}`)
    const paths = ['/', '/r/team/secret', '/r/team/open', '/cache', '/audit', '/accounts/ann', '/account']
    for (const user of users) {
      const visitor = new Visitor()
      expect((await logInBy(berth.url, visitor, user, '/account')).text()).toContain(`>${user}</a>`)
      const cookie = `berth_session=${visitor.cookies.get('berth_session')!.value}`
      for (const path of [...paths, '/api/v1/tokens', '/api/v1/accounts', '/api/v1/repository?name=team/secret']) {
        const { status } = await fetchRaw(berth.url + path, { headers: { cookie } })
        expect([user, path, status]).toEqual([user, path, (await ask(user, 'GET', path)).status])
      }
      // A session is for pages: the API of clients does not look at it.
      for (const path of ['/v2/', '/v2/team/app/manifests/1']) {
        expect((await fetchRaw(berth.url + path, { headers: { cookie } })).status).toBe(401)
      }
    }
  })
})

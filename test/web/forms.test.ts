import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { webApp } from '../../src/web/app.tsx'
import { FormSender } from '../helpers/forms.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, allPages, password, pushApplication, startOldScene, startScene, type Scene } from '../helpers/pages.ts'
import { Pusher } from '../helpers/push.ts'

// Nothing a page does lacks an API call.

/** Page -> what its forms do -> the call of the admin API that does the same. */
const forms: Record<string, Record<string, string>> = {
  '/r/:name': {
    public: 'post /visibility',
    private: 'post /visibility',
    delete: 'delete /tag',
    tag: 'post /tag',
    check: 'post /check',
    evict: 'post /evict',
    fetch: 'post /fetch',
    pin: 'post /pins',
    rollback: 'post /rollback',
    'pin-to': 'post /tag-pins',
    release: 'delete /tag-pins',
    describe: 'put /description',
  },
  '/cache': {
    evict: 'post /cache/evict',
    pin: 'post /pins',
    unpin: 'delete /pins',
    release: 'delete /tag-pins',
  },
  '/cache/collection': { collect: 'post /collect' },
  '/account': { create: 'post /tokens', revoke: 'delete /tokens', password: 'post /password' },
  '/accounts': { user: 'post /users', organization: 'post /organizations' },
  '/accounts/:name': {
    member: 'post /members',
    grant: 'post /grants',
    revoke: 'delete /tokens',
    password: 'post /users/password',
    remove: 'delete /account',
    link: 'post /links',
    unlink: 'delete /links',
  },
  '/warm': { list: 'post /warm/fetch', fetch: 'post /warm/fetch', stop: 'delete /warm/run' },
  '/warm/:id': { stop: 'delete /warm/run' },
  '/webhooks/:name': { test: 'post /webhooks/test', send: 'post /webhooks/send' },
  '/login': { '': 'post /login' },
  // It leads to where people log in, and that back to a cookie: a program shows a token instead.
  '/login/oidc/:provider': { '': 'none' },
  // A browser forgets its cookie, as a program forgets its token: nothing changes here.
  '/logout': { '': 'none' },
}

/** Page -> the call that tells what it shows. */
const views: Record<string, string> = {
  '/': 'get /repositories',
  '/search': 'get /repositories',
  '/r/:name': 'get /image',
  '/cache': 'get /cache',
  '/cache/events': 'get /fills',
  '/cache/collection': 'post /collect',
  '/account': 'get /tokens',
  '/accounts': 'get /accounts',
  '/accounts/:name': 'get /account',
  '/warm': 'get /warm',
  '/warm/:id': 'get /warm/run',
  '/webhooks': 'get /webhooks',
  '/webhooks/:name': 'get /webhooks/waiting',
  '/audit': 'get /audit',
  '/login': 'none',
  '/login/oidc/:provider/callback': 'none',
}

/** The pages' routes of a method, without what Hono needs to tell them apart. */
function routes(method: string): string[] {
  const app = webApp({ stopping: new AbortController().signal } as never)
  const paths = app.routes.filter((route) => route.method === method).map(({ path }) => path.replace('{.+}', ''))
  return [...new Set(paths)].filter((path) => !path.startsWith('/assets')).sort()
}

function routeOf(path: string): string {
  const { pathname } = new URL(path, 'http://page.invalid')
  if (pathname.startsWith('/r/')) return '/r/:name'
  const parameter = { accounts: ':name', warm: ':id', webhooks: ':name', 'login/oidc': ':provider' }
  for (const [folder, named] of Object.entries(parameter)) {
    if (pathname.startsWith(`/${folder}/`)) return `/${folder}/${named}`
  }
  return pathname
}

/** `page action` of each form that a page has. */
function formsOf(path: string, html: string): string[] {
  return [...html.matchAll(/<form method="post"([^>]*)>(.*?)<\/form>/gs)].map(([, attributes = '', inside = '']) => {
    const target = /action="([^"]+)"/.exec(attributes)?.[1] ?? path
    return `${routeOf(target)} ${/name="action" value="([^"]+)"/.exec(inside)?.[1] ?? ''}`
  })
}

describe('what pages show and do', () => {
  let scene: Scene
  let operations: string[]

  beforeAll(async () => {
    scene = await startOldScene()
    const { paths } = (await fetchRaw(`${scene.berth.url}/api/v1/openapi.json`)).json() as {
      paths: Record<string, Record<string, unknown>>
    }
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replace('/api/v1', '')}`),
    )
  })
  afterAll(() => scene?.stop())

  it('is in these tables, route by route', () => {
    expect(Object.keys(forms).sort()).toEqual(routes('POST'))
    expect(Object.keys(views).sort()).toEqual(routes('GET'))
  })

  it('has an API call each', () => {
    const calls = [...Object.values(forms).flatMap((actions) => Object.values(actions)), ...Object.values(views)]
    expect(calls.filter((call) => call !== 'none' && !operations.includes(call))).toEqual([])
  })

  it('has no form that the table does not know, and the table none that no page has', async () => {
    const seen = new Set<string>()
    const old = await openPages(scene.berth.url, seen)
    await old.post('evict', { name: 'docker.io/library/node', reference: '20' })
    await old.post('pins', { pattern: 'docker.io/library/node:*' })
    const digest = scene.upstream.content.digest('library/node', '20.11.0')
    await old.post('tag-pins', { name: 'docker.io/library/node', tag: '20', digest })
    for (const { path } of allPages) await old.see(path(scene))

    const { berth, upstream } = await startScene({
      access: {
        user: { username: 'ada', password },
        oidc: [{ name: 'corp', issuer: 'http://127.0.0.1:9/', clientId: 'berth' }],
      },
      warm: [{ name: 'base', references: ['docker.io/library/node:20'] }],
      hosted: { namespaces: ['team'], collection: { grace: '0s', untagged: '0s' } },
    })
    await pushApplication(berth, ['1.0', '2.0'])
    await new Pusher(berth.url, 'team/app', admin).image('3.0', 'another layer')
    const fresh = await openPages(berth.url, seen)
    await fresh.send('/r/team/app/t/3.0', { action: 'delete' })
    await new Pusher(berth.url, 'team/app', admin).image('1.0', 'a layer of its own')
    await fresh.post('users', { name: 'bob', password })
    await fresh.post('links', { user: 'bob', provider: 'corp', subject: '1' })
    const goOn = upstream.hold(/manifests/)
    await fresh.post('warm/fetch', { list: 'base' })
    const paths = ['/r/team/app', '/r/team/app/t/1.0', '/cache/collection', '/accounts/bob', '/warm', '/warm/1']
    for (const path of paths) await fresh.see(path)
    goOn()

    const known = Object.entries(forms).flatMap(([page, actions]) =>
      Object.keys(actions).map((action) => `${page} ${action}`),
    )
    expect([...seen].sort()).toEqual(known.sort())
  })
})

/** Somebody who logs in as an admin, and notes every form that is seen. */
async function openPages(url: string, seen: Set<string>) {
  const browser = new FormSender(url)
  const see = async (path: string) => formsOf(path, await browser.load(path)).forEach((form) => seen.add(form))
  await see('/login')
  await browser.logIn('ada', password)
  const post = (path: string, given: object) =>
    fetchRaw(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify(given),
    })
  return { see, post, send: (path: string, values: Record<string, string>) => browser.send(path, values) }
}

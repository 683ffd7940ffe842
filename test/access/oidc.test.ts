import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { askToken, basic } from '../helpers/login.ts'
import { beginAt, goThrough, logInBy } from '../helpers/login-provider.ts'
import { rootPassword, staff, startWithProvider, type OidcOptions } from '../helpers/oidc.ts'
import { Visitor, type Seen } from '../helpers/visitor.ts'

async function start(options: OidcOptions = {}) {
  const berth = await startWithProvider(options)
  const logIn = (login: string, visitor = new Visitor()) => logInBy(berth.url, visitor, login, '/account')
  return { ...berth, logIn, audit: () => berth.cli('audit') }
}

const userOn = (page: Seen) => /<a href="\/account">([^<]*)</.exec(page.text())?.[1]
const problemOn = (page: Seen) => /class="notice[^>]*>(.*?)<\/div>/s.exec(page.text())?.[1]?.replace(/<[^>]+>/g, '')
const root = basic('root', rootPassword)

describe('a first login at a provider', () => {
  it('makes a user of the name in its claim, whose namespace is hosted, and comes back to the page that it was for', async () => {
    const { url, cli, audit } = await start()
    const page = await logInBy(url, new Visitor(), 's1', '/account?x=1')
    expect([page.url, page.status, userOn(page)]).toEqual([`${url}/account?x=1`, 200, 'ann'])
    expect(await cli('user list')).toMatch(/^ann +\d{4}-\d\d-\d\d {2}corp:s1\n$/)
    expect(await cli('namespace list')).toContain('ann')
    const said = await audit()
    expect(said).toContain('"user":"oidc corp","address":"127.0.0.1","name":"ann","detail":"added by a login at corp"')
    expect(said).toMatch(/"action":"login".*"user":"ann".*"detail":"oidc corp http:\/\/127[^ ]* s1"/)
  })

  it('is the same user at the next, by its subject, whatever it is called now', async () => {
    const people = staff()
    const { cli, logIn } = await start({ people })
    await logIn('s1')
    people.s1.preferred_username = 'anna'
    expect(userOn(await logIn('s1'))).toBe('ann')
    expect((await cli('user list')).match(/\n/g)).toHaveLength(1)
  })

  it('reads claims from the ID token as well, where the provider puts them there', async () => {
    const { logIn } = await start({ inIdToken: true, rules: { allow: [{ groups: 'devs' }] } })
    expect(userOn(await logIn('s1'))).toBe('ann')
  })

  it('needs a claim that is a user name', async () => {
    const { logIn, cli, audit } = await start()
    const page = await logIn('s3')
    expect([page.status, userOn(page)]).toEqual([403, undefined])
    expect(problemOn(page)).toContain('A user name here is lower-case letters and digits')
    expect(problemOn(page)).toContain('berth user link NAME --oidc corp s3')
    expect(await cli('user list')).toBe('')
    expect(await audit()).toMatch(/"login refused".*"detail":"oidc corp: no user name http/)
  })

  it('gets no name that is taken: by a password, an organization, another subject, the settings or a namespace', async () => {
    const people = Object.fromEntries(
      ['pat', 'team', 'ann', 'root', 'set', 'left', 'users', 'docker'].map((name) => [
        name,
        { preferred_username: name },
      ]),
    )
    const upstreams = [{ name: 'docker', url: 'http://127.0.0.1:9' }]
    const { cli, logIn } = await start({
      people: { ...people, other: { preferred_username: 'ANN' } },
      berth: { hosted: { namespaces: ['set'] }, upstreams },
    })
    await cli('user add pat', 'a password of pat')
    for (const command of ['org add team', 'namespace add left']) await cli(command)
    expect(userOn(await logIn('ann'))).toBe('ann')
    for (const login of ['pat', 'team', 'other', 'root', 'set', 'left', 'users', 'docker']) {
      const page = await logIn(login)
      expect([login, page.status, userOn(page)]).toEqual([login, 403, undefined])
      expect(problemOn(page)).toContain('is taken here')
    }
  })

  it('is a user who is there when an administrator has linked it, on the command line or by the API', async () => {
    const { url, cli, logIn } = await start()
    for (const name of ['ann', 'pat']) await cli(`user add ${name}`, `a password of ${name}`)
    expect((await logIn('s1')).status).toBe(403)
    await cli('user link ann --oidc corp s1')
    expect(userOn(await logIn('s1'))).toBe('ann')
    const link = { user: 'pat', provider: 'corp', subject: 's3' }
    const headers = { 'content-type': 'application/json', ...root }
    const linked = await fetchRaw(`${url}/api/v1/links`, { method: 'POST', headers, body: JSON.stringify(link) })
    expect(linked.status).toBe(200)
    expect(userOn(await logIn('s3'))).toBe('pat')
    const seen = await fetchRaw(`${url}/api/v1/account?name=pat`, { headers: root })
    expect(seen.json()).toMatchObject({ links: [{ provider: 'corp', subject: 's3' }] })
    expect(await cli('user link pat --oidc corp s1')).toContain('s1 of corp is ann already')
    expect(await cli('user link pat --oidc corq s9')).toContain('(corp), saw "corq"')
    expect(await cli('user link nobody --oidc corp s9')).toContain('there is no user')
    expect(await cli('user link pat --oidc corp')).toContain('must be PROVIDER SUBJECT')
  })
})

describe('the rules of a provider', () => {
  it('let in whom one of allow fits, and nobody by an e-mail address that is not verified', async () => {
    const allow = [{ email: '*@example.com' }, { groups: 'guests', preferred_username: 'Zo*' }]
    const { logIn, audit, cli } = await start({ rules: { allow } })
    expect(userOn(await logIn('s1'))).toBe('ann')
    for (const login of ['s2', 's3']) {
      const page = await logIn(login)
      expect([login, page.status, problemOn(page)]).toEqual([
        login,
        403,
        'Example Corp knows you, but the rules of this registry let others in: ask who looks after it.',
      ])
    }
    expect(await audit()).toMatch(/"login refused".*"user":"bob".*"detail":"oidc corp: not allowed http:[^ ]* s2"/)
    expect(await cli('user list')).not.toContain('bob')
  })

  it('say at each login who is in which organization and who is an admin; what was given here stays', async () => {
    const people = staff()
    const organizations = [
      { claims: { groups: 'staff' }, organization: 'team', role: 'reader' },
      { claims: { groups: 'devs' }, organization: 'team', role: 'writer' },
      { claims: { groups: 'devs' }, organization: 'crew', role: 'owner' },
      { claims: { groups: 'devs' }, organization: 'nowhere', role: 'owner' },
    ]
    const { url, cli, logIn, audit } = await start({ people, rules: { organizations, admins: [{ groups: 'ops' }] } })
    for (const command of ['org add team', 'org add crew', 'org add hand']) await cli(command)
    const members = async () => (await cli('org list')).replace(/ +\d{4}-\d\d-\d\d/g, '')
    const visitor = new Visitor()
    const isAdmin = async () => (await visitor.get(`${url}/audit`)).status === 200
    await logIn('s1', visitor)
    expect(await members()).toBe('crew  ann:owner\nhand\nteam  ann:writer\n')
    expect(await isAdmin()).toBe(false)
    for (const command of ['org member hand ann reader', 'org member crew ann reader']) await cli(command)
    people.s1.groups = ['staff', 'ops']
    await logIn('s1', visitor)
    expect(await members()).toBe('crew  ann:reader\nhand  ann:reader\nteam  ann:reader\n')
    expect(await isAdmin()).toBe(true)
    people.s1.groups = []
    await logIn('s1', visitor)
    expect(await members()).toBe('crew  ann:reader\nhand  ann:reader\nteam\n')
    expect(await isAdmin()).toBe(false)
    const said = await audit()
    for (const change of ['writer in team', 'reader in team', 'no member in team', 'an admin', 'no admin any more']) {
      expect(said).toContain(`"user":"oidc corp","address":"127.0.0.1","name":"ann","detail":"${change}"`)
    }
  })

  it('that are no more give nothing any more, and who was let in by others logs in anew', async () => {
    const organizations = [{ claims: { groups: 'devs' }, organization: 'team', role: 'writer' }]
    const rules = { organizations, admins: [{ groups: 'devs' }], allow: [{ groups: 'devs' }] }
    const berth = await start({ rules })
    const { url, cli, logIn } = berth
    await cli('org add team')
    const visitor = new Visitor()
    await logIn('s1', visitor)
    expect((await visitor.get(`${url}/audit`)).status).toBe(200)
    await berth.stop()
    const kept = await berth.again({ allow: rules.allow })
    expect((await visitor.get(`${kept.url}/audit`)).status).toBe(403)
    expect(await cli('org list')).not.toContain('ann')
    await kept.stop()
    const other = await berth.again({ allow: [{ groups: 'ops' }] })
    expect((await visitor.get(`${other.url}/account`)).status).toBe(401)
  })
})

describe('who came from a provider', () => {
  it('has no password, and logs in with docker by a token of the account’s page', async () => {
    const { url, logIn } = await start()
    const visitor = new Visitor()
    const page = await logIn('s1', visitor)
    expect(page.text()).not.toContain('Present password')
    const made = await visitor.submit(page, '/account', {
      action: 'create',
      owner: 'ann',
      pattern: 'ann/*',
      actions: 'pull,push',
    })
    const token = /berth_[\w-]{43}/.exec(made.text())![0]
    const scope = 'repository:ann/app:pull,push'
    // Until the token is known it is a wrong password, of which five are free.
    const status = async () => (await askToken(url, scope, basic('ann', token))).status
    await expect.poll(status, { timeout: 5_000, interval: 700 }).toBe(200)
    const given = (await askToken(url, scope, basic('ann', token))).json()
    expect(given).toMatchObject({ scope })
    expect((await askToken(url, scope, basic('ann', 'undefined'))).status).toBe(401)
  })

  it('is out when the account is removed, and does not come back by logging in again, nor does another of the name', async () => {
    const people = { ...staff(), s4: { preferred_username: 'ann' } }
    const { url, cli, logIn, audit } = await start({ people })
    const visitor = new Visitor()
    await logIn('s1', visitor)
    await cli('user remove ann')
    const status = async () => (await visitor.get(`${url}/account`)).status
    await expect.poll(status, { timeout: 5_000 }).toBe(401)
    const page = await logIn('s1')
    expect([page.status, problemOn(page)]).toEqual([403, expect.stringContaining('The account ann was removed here')])
    expect((await logIn('s4')).status).toBe(403)
    expect(await audit()).toContain('oidc corp: removed http')
    await cli('user add anna', 'a password of anna')
    await cli('user link anna --oidc corp s1')
    expect(userOn(await logIn('s1'))).toBe('anna')
  })

  it('is out when the login is unlinked, with all that its claims gave', async () => {
    const { url, cli, logIn } = await start({ rules: { admins: [{ groups: 'devs' }] } })
    const visitor = new Visitor()
    await logIn('s1', visitor)
    expect(await cli('user list')).toContain('admin')
    await cli('user unlink ann --oidc corp s1')
    await expect.poll(async () => (await visitor.get(`${url}/account`)).status, { timeout: 5_000 }).toBe(401)
    expect(await cli('user list')).not.toMatch(/admin|corp/)
    expect((await logIn('s1')).status).toBe(403)
  })
})

describe('a return from a provider that is not right', () => {
  /** Up to the provider's answer, which the browser has not followed yet. */
  async function answered(url: string, visitor: Visitor, login = 's1'): Promise<URL> {
    const at = await beginAt(url, visitor, '/account')
    const isBack = (to: string) => to.startsWith(`${url}/login/oidc/`)
    return new URL((await goThrough(at, visitor, login, isBack)).url)
  }
  const notBegun =
    'This login was not begun in this browser, took more than ten minutes, or was used already: log in once more.'
  const tokensAsked = (requests: string[]) => requests.filter((line) => line === 'POST /token').length

  it('with another state, without one, or in another browser asks the provider nothing', async () => {
    const { url, provider, audit } = await start()
    const visitor = new Visitor()
    const back = await answered(url, visitor)
    const changed = (state: string | undefined) => {
      const other = new URL(back)
      if (state === undefined) other.searchParams.delete('state')
      else other.searchParams.set('state', state)
      return other.href
    }
    for (const to of [changed('x'.repeat(43)), changed(undefined), changed('')]) {
      const page = await visitor.get(to)
      expect([page.status, problemOn(page), visitor.cookies.has('berth_session')]).toEqual([403, notBegun, false])
    }
    const elsewhere = new Visitor()
    await beginAt(url, elsewhere)
    expect((await elsewhere.get(back.href)).status).toBe(403)
    expect((await new Visitor().get(back.href)).status).toBe(403)
    expect(tokensAsked(provider.requests)).toBe(0)
    expect(await audit()).toContain('oidc corp: not begun here')
    // Whoever was led astray gets in all the same.
    expect((await visitor.get(back.href)).status).toBe(303)
  })

  it('a second time is refused, with the same cookies as well, and the code of another login too', async () => {
    const { url, provider } = await start()
    const visitor = new Visitor()
    const back = await answered(url, visitor)
    const kept = visitor.cookies.get('berth_login')!
    expect((await visitor.get(back.href)).status).toBe(303)
    expect(visitor.cookies.has('berth_login')).toBe(false)
    visitor.cookies.set('berth_login', kept)
    expect(problemOn(await visitor.get(back.href))).toBe(notBegun)
    expect(tokensAsked(provider.requests)).toBe(1)
    const other = new Visitor()
    const next = await answered(url, other)
    next.searchParams.set('code', back.searchParams.get('code')!)
    const page = await other.get(next.href)
    expect([page.status, problemOn(page)]).toEqual([403, expect.stringContaining('takes this login no more')])
  })

  it('after ten minutes is refused', async () => {
    const clock = makeClock()
    const { url } = await start({ berth: { clock } })
    const visitor = new Visitor()
    const back = await answered(url, visitor)
    clock.advance(601_000)
    expect(problemOn(await visitor.get(back.href))).toBe(notBegun)
  })

  it('from another issuer is refused', async () => {
    const { url, provider } = await start()
    const visitor = new Visitor()
    const back = await answered(url, visitor)
    back.searchParams.set('iss', 'https://evil.test')
    expect((await visitor.get(back.href)).status).toBe(503)
    expect(tokensAsked(provider.requests)).toBe(0)
  })

  it('because the user said no is told as that', async () => {
    const { url, audit } = await start()
    const visitor = new Visitor()
    const at = await beginAt(url, visitor)
    const page = await visitor.follow(await visitor.get(`${at.url}/abort`))
    expect([page.status, problemOn(page)]).toEqual([
      403,
      'Example Corp did not let you go on here: you, or its rules, said no.',
    ])
    expect(await audit()).toContain('oidc corp: refused there')
  })

  it('with an ID token for another audience, of another login, too old, unsigned or signed by another opens nothing', async () => {
    const { url, provider } = await start()
    const seconds = Math.floor(Date.now() / 1_000)
    const other = (await startWithProvider()).provider
    const claims = (nonce: string) => ({ sub: 's1', aud: 'berth', nonce, preferred_username: 'ann' })
    const right = async (nonce: string) => provider.token(claims(nonce))
    const forged: Record<string, (nonce: string) => Promise<string>> = {
      audience: (nonce) => provider.token({ ...claims(nonce), aud: 'another' }),
      nonce: () => provider.token(claims('another')),
      'no nonce': () => provider.token({ ...claims(''), nonce: undefined }),
      issuer: (nonce) => provider.token({ ...claims(nonce), iss: 'https://evil.test' }),
      old: (nonce) => provider.token({ ...claims(nonce), iat: seconds - 900, exp: seconds - 600 }),
      key: (nonce) => other.token({ ...claims(nonce), iss: provider.issuer }),
      unsigned: async (nonce) => `${(await right(nonce)).split('.').slice(0, 2).join('.')}.`,
      changed: async (nonce) => {
        const [head, , signature] = (await right(nonce)).split('.')
        const [, body] = (await provider.token({ ...claims(nonce), sub: 'root' })).split('.')
        return `${head}.${body}.${signature}`
      },
    }
    for (const [how, make] of Object.entries(forged)) {
      const visitor = new Visitor()
      const back = await answered(url, visitor)
      const asked = new URL(visitor.trail.find((line) => line.includes('/auth?'))!.slice(4))
      const idToken = await make(asked.searchParams.get('nonce')!)
      provider.answerTokens(() => ({ access_token: 'x', token_type: 'Bearer', id_token: idToken }))
      const page = await visitor.get(back.href)
      expect([how, page.status, problemOn(page), visitor.cookies.has('berth_session')]).toEqual([
        how,
        503,
        'Example Corp gave an answer that is not right: tell who looks after this registry.',
        false,
      ])
      provider.answerTokens(undefined)
    }
  })

  it('makes an address wait when codes are wrong too often, and the next login after it gets in', async () => {
    const clock = makeClock()
    const { url, logIn } = await start({ berth: { clock } })
    const visitor = new Visitor()
    const form = await visitor.get(`${url}/login`)
    const guess = async () => {
      const { headers } = await visitor.submit(form, '/login/oidc/corp')
      const state = /[?&]state=([\w-]+)/.exec(String(headers.refresh))![1]!
      return (await visitor.get(`${url}/login/oidc/corp/callback?code=guess&state=${state}&iss=${iss(headers)}`)).status
    }
    const iss = (headers: Seen['headers']) =>
      encodeURIComponent(/url=(http:\/\/[^/]+)/.exec(String(headers.refresh))![1]!)
    const statuses: number[] = []
    while (statuses.length < 60 && statuses.at(-1) !== 429) statuses.push(await guess())
    expect([statuses.length, statuses.at(0), statuses.at(-1)]).toEqual([51, 403, 429])
    clock.advance(5_000)
    expect(userOn(await logIn('s1'))).toBe('ann')
  })

  it('that nobody has begun makes nobody wait: any page can make a browser send it', async () => {
    const { url, logIn } = await start()
    for (let i = 0; i < 60; i++) {
      expect((await fetchRaw(`${url}/login/oidc/corp/callback?code=x&state=y`)).status).toBe(403)
    }
    expect(userOn(await logIn('s1'))).toBe('ann')
  })
})

describe('a provider that does not do its part', () => {
  it('is told to be away, at both ends of a login, and nobody is made to wait for it', async () => {
    const { url, provider, logIn, audit } = await start()
    await provider.stop()
    const visitor = new Visitor()
    const form = await visitor.get(`${url}/login`)
    const away = await visitor.submit(form, '/login/oidc/corp')
    expect([away.status, problemOn(away)]).toEqual([503, 'Example Corp cannot be reached now: try again in a moment.'])
    await provider.start()
    const isBack = (to: string) => to.startsWith(`${url}/login/oidc/`)
    const back = (await goThrough(await beginAt(url, visitor), visitor, 's1', isBack)).url
    await provider.stop()
    expect((await visitor.get(back)).status).toBe(503)
    expect(await audit()).toContain('oidc corp: provider trouble')
    await provider.start()
    expect(userOn(await logIn('s1'))).toBe('ann')
  })

  it('because the secret is wrong says who can help', async () => {
    const { logIn } = await start({ secret: 'another' })
    const page = await logIn('s1')
    expect([page.status, problemOn(page)]).toEqual([
      503,
      'Example Corp does not know this registry, or not by the secret it has: tell who looks after it.',
    ])
  })

  it('that is not configured is not there', async () => {
    const { url } = await start()
    const visitor = new Visitor()
    expect((await visitor.get(`${url}/login/oidc/other/callback?code=x&state=y`)).status).toBe(404)
    expect((await visitor.get(`${url}/login/oidc/constructor/callback`)).status).toBe(404)
  })
})

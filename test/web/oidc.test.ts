import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBrowser, Tab } from '../helpers/browser.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic } from '../helpers/login.ts'
import { beginAt, logInBy } from '../helpers/login-provider.ts'
import { startWithProvider } from '../helpers/oidc.ts'
import { describeTool } from '../helpers/tools.ts'
import { Visitor } from '../helpers/visitor.ts'

describe('a login at a provider', () => {
  it('is begun by a form of ours alone', async () => {
    const { url, provider } = await startWithProvider()
    const visitor = new Visitor()
    await visitor.get(`${url}/login`)
    const cookie = `berth_browser=${visitor.cookies.get('berth_browser')!.value}`
    const post = (headers: object, body = '') =>
      fetchRaw(`${url}/login/oidc/corp`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body,
      })
    const token = /name="token" value="([^"]+)"/.exec((await visitor.get(`${url}/login`)).text())![1]!
    for (const answer of [
      await post({ cookie, origin: url }),
      await post({ cookie, origin: 'https://evil.test' }, `token=${token}`),
      await post({ origin: url }, `token=${token}`),
      await post({ cookie, origin: url }, 'token=AAAA'),
    ]) {
      expect([answer.status, answer.headers.refresh]).toEqual([403, undefined])
    }
    expect((await fetchRaw(`${url}/login/oidc/corp`)).status).toBe(404)
    expect(provider.requests).toEqual([])
    expect((await post({ cookie, origin: url }, `token=${token}`)).status).toBe(200)
  })

  it('asks with PKCE, a state and a nonce that are new each time, and for our own address', async () => {
    const { url } = await startWithProvider()
    const asked = async () => {
      const visitor = new Visitor()
      await beginAt(url, visitor)
      return new URL(visitor.trail.find((line) => line.includes('/auth?'))!.slice(4)).searchParams
    }
    const [one, other] = [await asked(), await asked()]
    expect(Object.fromEntries(one)).toMatchObject({
      response_type: 'code',
      client_id: 'berth',
      redirect_uri: `${url}/login/oidc/corp/callback`,
      code_challenge_method: 'S256',
    })
    for (const key of ['state', 'nonce', 'code_challenge']) {
      expect(one.get(key)).toMatch(/^[\w-]{43}$/)
      expect(one.get(key)).not.toBe(other.get(key))
    }
  })

  it('keeps its cookies from scripts and other sites, and over https from the clear', async () => {
    for (const publicUrl of ['https://registry.example.com', undefined]) {
      const { url } = await startWithProvider({ berth: publicUrl === undefined ? {} : { publicUrl } })
      const visitor = new Visitor()
      await beginAt(url, visitor).catch(() => undefined)
      const { line } = visitor.cookies.get('berth_login')!
      const parts = line.split('; ').slice(1).sort()
      const secure = publicUrl === undefined ? [] : ['Secure']
      expect(parts).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/login/oidc', 'SameSite=Lax', ...secure])
    }
  })

  it('leads to no other server', async () => {
    const { url } = await startWithProvider()
    for (const next of ['https://evil.test/', '//evil.test', '/\\evil.test', '/.//evil.test', 'javascript:alert(1)']) {
      expect([next, (await logInBy(url, new Visitor(), 's1', next)).url]).toEqual([next, `${url}/`])
    }
  })

  it('shows what a provider says as text, and what would not be seen as its number', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u202e\u200b"\'>'
    const people = { [hostile]: { preferred_username: hostile } }
    const { url } = await startWithProvider({ people, rules: { label: hostile } })
    const refused = await logInBy(url, new Visitor(), hostile)
    expect(refused.status).toBe(403)
    for (const text of [refused.text(), (await new Visitor().get(`${url}/login`)).text()]) {
      expect(text).not.toMatch(/<img|[\u202e\u200b]/)
      expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
    }
  })

  it('opens the session that a password opens, whose cookie holds no more than it', async () => {
    const { url } = await startWithProvider()
    const visitor = new Visitor()
    await logInBy(url, visitor, 's1')
    const { line, value } = visitor.cookies.get('berth_session')!
    expect(line).toMatch(/; HttpOnly; SameSite=Lax$/)
    const headers = { cookie: `berth_session=${value}` }
    expect((await fetchRaw(`${url}/api/v1/tokens`, { headers })).status).toBe(200)
    expect((await fetchRaw(`${url}/api/v1/accounts`, { headers })).status).toBe(403)
    expect((await fetchRaw(`${url}/v2/_catalog`, { headers })).status).toBe(401)
    expect((await fetchRaw(`${url}/v2/_catalog`, { headers: basic('ann', value) })).status).toBe(401)
  })

  it('ends here and at the provider, which leads back', async () => {
    const { url, provider } = await startWithProvider()
    const visitor = new Visitor()
    const page = await logInBy(url, visitor, 's1')
    expect(visitor.cookies.get('berth_id_token')!.line).toMatch(/Path=\/logout; HttpOnly; SameSite=Lax$/)
    const there = await visitor.follow(await visitor.submit(page, '/logout'))
    expect(visitor.cookies.has('berth_session')).toBe(false)
    const asked = new URL(there.url)
    expect(asked.origin + asked.pathname).toBe(`${provider.issuer}/session/end`)
    expect(asked.searchParams.get('post_logout_redirect_uri')).toBe(`${url}/`)
    expect(asked.searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    const home = await visitor.follow(await visitor.submit(there, '/session/end/confirm', { logout: 'yes' }))
    expect(home.url).toBe(`${url}/`)
    expect(home.text()).toContain('href="/login"')
    expect((await beginAt(url, visitor)).url).toContain('/interaction/')
  })

  it('ends here also where the provider is away', async () => {
    const first = await startWithProvider()
    const visitor = new Visitor()
    await logInBy(first.url, visitor, 's1')
    await first.stop()
    const berth = await first.again()
    await first.provider.stop()
    const home = await visitor.follow(await visitor.submit(await visitor.get(`${berth.url}/`), '/logout'))
    expect([home.url, visitor.cookies.has('berth_session')]).toEqual([`${berth.url}/`, false])
  })
})

describeTool('a login at a provider in Chromium', { tools: ['chromium'] }, () => {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()))
  afterAll(() => browser?.close())

  it('is a button, the provider’s own page, and back: then a token is made, and all is logged out', async () => {
    const { url } = await startWithProvider()
    const page = await browser.newPage()
    const tab = new Tab(page)
    await page.goto(`${url}/login?next=/account`)
    await tab.expectSound()
    await tab.photograph('login-with-provider')
    await page.getByRole('button', { name: 'Log in with Example Corp' }).click()
    await page.getByPlaceholder('Enter any login').fill('s1')
    await page.getByPlaceholder('and password').fill('any')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${url}/account`)
    // The provider's pages want fonts from elsewhere.
    tab.complaints.length = 0
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('ann')
    await tab.photograph('account-of-provider')
    await page.getByLabel('For what').fill('laptop')
    await page.getByRole('button', { name: 'Create token' }).click()
    const token = (await page.locator('.notice .copyable code').textContent())!
    const opens = async () => (await fetchRaw(`${url}/v2/`, { headers: basic('ann', token) })).status
    await expect.poll(opens, { timeout: 5_000, interval: 700 }).toBe(200)
    await tab.expectSound()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Yes, sign me out' }).click()
    await page.waitForURL(`${url}/`)
    await page.getByRole('link', { name: 'Log in' }).waitFor()
  })

  it('that the user breaks off says so on the page, where it can be tried again', async () => {
    const { url } = await startWithProvider()
    const page = await browser.newPage()
    const tab = new Tab(page)
    await page.goto(`${url}/login`)
    await page.getByRole('button', { name: 'Log in with Example Corp' }).click()
    await page.getByRole('link', { name: 'Cancel' }).click()
    await page.getByText('Example Corp did not let you go on here').waitFor()
    await tab.photograph('login-refused')
    await page.getByRole('button', { name: 'Log in with Example Corp' }).click()
    await page.getByPlaceholder('Enter any login').waitFor()
  })
})

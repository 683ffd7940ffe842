import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { makeClock } from '../helpers/clock.ts'
import { createToken } from '../helpers/cli.ts'
import { fetchRaw } from '../helpers/http.ts'
import { askToken, basic, bearer, passwordOf, startWithUsers, tokenFor } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'

interface Answer {
  token: string
  access_token: string
  refresh_token?: string
  scope: string
  expires_in: number
  issued_at: string
}

const push = 'repository:team/app:pull,push'

function post(url: string, form: Record<string, string>) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return fetchRaw(`${url}/token`, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
}

describe('/v2/', () => {
  it('challenges with the token server at the address that the client used', async () => {
    const { url, host } = await startWithUsers()
    const challenged = await fetchRaw(`${url}/v2/`)
    expectError(challenged, 'UNAUTHORIZED')
    expect(challenged.headers['www-authenticate']).toBe(`Bearer realm="http://${host}/token",service="${host}"`)
    const named = await fetchRaw(`${url}/v2/`, { headers: { host: 'r.example.com:8443' } })
    expect(named.headers['www-authenticate']).toContain('realm="http://r.example.com:8443/token"')
    const forged = await fetchRaw(`${url}/v2/`, { headers: { host: 'a"b' } })
    expect(forged.headers['www-authenticate'] ?? '').not.toContain('a"b')
  })

  it('challenges with publicUrl, or with what a trusted proxy says', async () => {
    const { url } = await startWithUsers({ publicUrl: 'https://r.example.com' })
    expect((await fetchRaw(`${url}/v2/`)).headers['www-authenticate']).toBe(
      'Bearer realm="https://r.example.com/token",service="r.example.com"',
    )
    const behind = await startWithUsers({ trustedProxies: ['127.0.0.1'] })
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'p.example.com' }
    expect((await fetchRaw(`${behind.url}/v2/`, { headers })).headers['www-authenticate']).toContain(
      'realm="https://p.example.com/token"',
    )
  })

  it('lets in a token of anybody, Basic of a user, and no wrong ones', async () => {
    const { url } = await startWithUsers()
    const status = async (headers: Record<string, string>) => (await fetchRaw(`${url}/v2/`, { headers })).status
    expect(await status(bearer(await tokenFor(url, [], 'ann')))).toBe(200)
    expect(await status(bearer(await tokenFor(url)))).toBe(200)
    expect(await status(basic('ann'))).toBe(200)
    expect(await status(basic('ann', 'wrong'))).toBe(401)
    expect(await status(basic('nobody', 'wrong'))).toBe(401)
    expect(await status(bearer('nonsense'))).toBe(401)
    // podman sends empty credentials after a logout (case 61).
    expect(await status({ authorization: 'Basic Og==' })).toBe(401)
  })
})

describe('/token', () => {
  it('gives a token under both names, for what is asked and allowed', async () => {
    const { url } = await startWithUsers()
    const given = await askToken(
      url,
      [push, 'repository:team/open:pull,delete', 'repository:docker.io/a/b:pull,push'],
      basic('bob'),
    )
    const answer = given.json() as Answer
    expect(given.headers['cache-control']).toBe('no-store')
    expect(answer.access_token).toBe(answer.token)
    expect(answer.expires_in).toBeGreaterThanOrEqual(60)
    expect(Date.parse(answer.issued_at)).toBeGreaterThan(Date.now() - 60_000)
    expect(answer.scope).toBe('repository:team/app:pull,push repository:team/open:pull repository:docker.io/a/b:pull')
    expect(answer.refresh_token).toBeUndefined()
    expect(decodeJwt(answer.token)).toMatchObject({ iss: 'berth', sub: 'bob', aud: 'berth' })
  })

  it('refuses a wrong password, with or without a scope of what is hosted', async () => {
    const { url } = await startWithUsers()
    for (const scope of [[], push, 'repository:team/open:pull', 'registry:catalog:*']) {
      const refused = await askToken(url, scope, basic('ann', 'wrong'))
      expectError(refused, 'UNAUTHORIZED')
      expect(refused.headers['www-authenticate']).toBe('Basic realm="Berth", charset="UTF-8"')
    }
  })

  it('gives nobody a token for what everybody may pull, and nothing more', async () => {
    const { url } = await startWithUsers()
    const scopes = async (scope: string | string[]) => ((await askToken(url, scope)).json() as Answer).scope
    expect(await scopes('repository:docker.io/library/node:pull,push')).toBe('repository:docker.io/library/node:pull')
    expect(await scopes(push)).toBe('')
    // It is public, but not there: as one that is private.
    expect(await scopes('repository:team/open:pull')).toBe('')
    await pushAs(url, 'bob', 'team/open')
    expect(await scopes('repository:team/open:pull')).toBe('repository:team/open:pull')
  })

  it('takes a form: password, then the refresh token that this gave, until the password is changed', async () => {
    const { url } = await startWithUsers()
    const form = {
      grant_type: 'password',
      username: 'bob',
      password: passwordOf('bob'),
      scope: push,
      client_id: 'x',
      service: 'x',
    }
    const first = (await post(url, { ...form, access_type: 'offline' })).json() as Answer
    expect(first.scope).toBe('repository:team/app:pull,push')
    expect(((await post(url, form)).json() as Answer).refresh_token).toBeUndefined()
    const again = await post(url, { grant_type: 'refresh_token', refresh_token: first.refresh_token!, scope: push })
    expect((again.json() as Answer).scope).toBe('repository:team/app:pull,push')
    expect(decodeJwt((again.json() as Answer).token).sub).toBe('bob')
  })

  it('refuses forms with wrong passwords, wrong tokens, unknown grants and more than a form', async () => {
    const { url } = await startWithUsers()
    const access = await tokenFor(url, push, 'bob')
    expect((await post(url, { grant_type: 'password', username: 'bob', password: 'wrong', scope: push })).status).toBe(
      401,
    )
    expect((await post(url, { grant_type: 'refresh_token', refresh_token: 'nonsense' })).status).toBe(401)
    // An access token is no refresh token.
    expect((await post(url, { grant_type: 'refresh_token', refresh_token: access })).status).toBe(401)
    expect((await post(url, { grant_type: 'magic' })).status).toBe(400)
    expect((await post(url, {})).status).toBe(400)
    expect((await post(url, { grant_type: 'password', username: 'x'.repeat(70_000) })).status).toBe(413)
    expect((await fetchRaw(`${url}/token`, { method: 'DELETE' })).status).toBe(405)
  })

  it('offers a refresh token to docker login, which is no access token', async () => {
    const { url } = await startWithUsers()
    const answer = await fetchRaw(`${url}/token?account=ann&client_id=docker&offline_token=true&service=x`, {
      headers: basic('ann'),
    })
    const { refresh_token: refresh } = answer.json() as Answer
    expect(refresh).toBeDefined()
    expect((await fetchRaw(`${url}/v2/`, { headers: bearer(refresh!) })).status).toBe(401)
  })

  it('answers a mirror whose client sends its Docker Hub login as nobody, for pulls of upstreams alone', async () => {
    const { url } = await startWithUsers()
    const hub = basic('hub-user', 'hub-password')
    const scopeOf = async (scope: string) => {
      const answer = await askToken(url, scope, hub)
      return answer.status === 200 ? (answer.json() as Answer).scope : answer.status
    }
    expect(await scopeOf('repository:library/node:pull')).toBe('repository:library/node:pull')
    expect(await scopeOf('repository:library/node:pull,push')).toBe(401)
    expect(await scopeOf('repository:team/open:pull')).toBe(401)
  })
})

describe('a bearer token', () => {
  it('opens what it was asked for, and 401 tells what to ask for where it does not', async () => {
    const { url, host } = await startWithUsers()
    const headers = bearer(await tokenFor(url, push, 'ann'))
    const status = async (method: string, path: string) =>
      (await fetchRaw(`${url}/v2/${path}`, { method, headers })).status
    expect(await status('POST', 'team/app/blobs/uploads/')).toBe(202)
    expect(await status('GET', 'team/app/manifests/1')).toBe(404)
    const other = await fetchRaw(`${url}/v2/team/other/blobs/uploads/`, { method: 'POST', headers })
    expect(other.status).toBe(401)
    expect(other.headers['www-authenticate']).toBe(
      `Bearer realm="${url}/token",service="${host}",scope="repository:team/other:pull,push",error="insufficient_scope"`,
    )
    expect(await status('DELETE', 'team/app/manifests/1')).toBe(401)
    const expired = await fetchRaw(`${url}/v2/team/app/manifests/1`, { headers: bearer('nonsense') })
    expect(expired.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('works for five minutes', async () => {
    const clock = makeClock()
    const { url } = await startWithUsers({ clock })
    const headers = bearer(await tokenFor(url, push, 'ann'))
    const status = async () => (await fetchRaw(`${url}/v2/team/app/manifests/1`, { headers })).status
    expect(await status()).toBe(404)
    clock.advance(299_000)
    expect(await status()).toBe(404)
    clock.advance(2_000)
    expect(await status()).toBe(401)
  })

  it('of another signer, without a signature, or with another algorithm is refused', async () => {
    const { url, data } = await startWithUsers()
    const real = await tokenFor(url, push, 'ann')
    const claims = decodeJwt(real)
    const { kid } = decodeProtectedHeader(real)
    const wrongKey = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: kid! }).sign(new Uint8Array(32))
    const unknownKey = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'x' }).sign(new Uint8Array(32))
    const [head, body, signature] = real.split('.') as [string, string, string]
    const changed = [
      head,
      Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url'),
      signature,
    ].join('.')
    for (const token of [wrongKey, unknownKey, changed, new UnsecuredJWT(claims).encode(), `${head}.${body}.`]) {
      expect((await fetchRaw(`${url}/v2/`, { headers: bearer(token) })).status).toBe(401)
    }
    expect((await fetchRaw(`${url}/v2/`, { headers: bearer(real) })).status).toBe(200)
    expect(readdirSync(data)).toContain('token-keys.json')
  })

  it('is signed by keys that nobody else can read, which change and stay valid for what they signed', async () => {
    const clock = makeClock()
    const { url, data } = await startWithUsers({ clock })
    const file = join(data, 'token-keys.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const form = { grant_type: 'password', username: 'bob', password: passwordOf('bob'), access_type: 'offline' }
    const { refresh_token: login } = (await post(url, form)).json() as Answer
    clock.advance(31 * 24 * 3_600_000)
    const before = decodeProtectedHeader(login!).kid
    expect(decodeProtectedHeader(await tokenFor(url)).kid).not.toBe(before)
    expect(readFileSync(file, 'utf8')).toContain(before)
    expect((await post(url, { grant_type: 'refresh_token', refresh_token: login! })).status).toBe(200)
    clock.advance(60 * 24 * 3_600_000)
    expect((await post(url, { grant_type: 'refresh_token', refresh_token: login! })).status).toBe(401)
  })
})

describe("a robot's token", () => {
  it('logs in as a password of any name, or as a bearer token, within its scopes', async () => {
    const { url, data } = await startWithUsers()
    const token = await createToken(data, 'team', 'team/app:pull,push')
    await seen(url, basic('robot', token))
    for (const headers of [basic('robot', token), bearer(token)]) {
      const status = async (method: string, path: string) =>
        (await fetchRaw(`${url}/v2/${path}`, { method, headers })).status
      expect(await status('POST', 'team/app/blobs/uploads/')).toBe(202)
      expect(await status('POST', 'team/other/blobs/uploads/')).toBe(403)
      expect(await status('DELETE', 'team/app/manifests/1')).toBe(403)
      expect(await status('GET', 'docker.io/library/node/manifests/1')).toBe(403)
    }
    const issued = (
      await askToken(url, ['repository:team/app:pull,push,delete', 'repository:ann/app:pull'], basic('x', token))
    ).json() as Answer
    expect(issued.scope).toBe('repository:team/app:pull,push')
    const headers = bearer(issued.token)
    expect((await fetchRaw(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST', headers })).status).toBe(202)
  })
})

/** The server sees a change of another process within a second. */
async function seen(url: string, headers: Record<string, string>): Promise<void> {
  const deadline = Date.now() + 5_000
  while ((await fetchRaw(`${url}/v2/`, { headers })).status !== 200) expect(Date.now()).toBeLessThan(deadline)
}

async function pushAs(url: string, user: string, name: string): Promise<void> {
  await new Pusher(url, name, basic(user)).image('1', 'layer')
}

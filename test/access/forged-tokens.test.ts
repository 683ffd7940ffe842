import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw, type Received, type Sent } from '../helpers/http.ts'
import { askToken, basic, bearer, passwordOf, startWithUsers, tokenFor } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'
import type { RunningBerth } from '../helpers/start.ts'
import { Visitor } from '../helpers/visitor.ts'

// Tokens that are not what they seem, at every door that takes one. Each is forged from one that opens the door.

const scope = 'repository:team/app:pull,push'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

let berth: RunningBerth
let another: RunningBerth
let data: string
/** What Berth signs with. */
let key: Buffer
type Kind = 'access' | 'refresh' | 'session'
const real = {} as Record<Kind, string>
const foreign = {} as Record<Kind, string>

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'berth-test-'))
  berth = await startWithUsers({ data: join(data, 'one') })
  another = await startWithUsers({ data: join(data, 'another') })
  await new Pusher(berth.url, 'team/app', basic('ann')).image('1', 'secret layer')
  for (const [tokens, { url }] of [
    [real, berth],
    [foreign, another],
  ] as const)
    Object.assign(tokens, await tokensOf(url))
  const keys = JSON.parse(readFileSync(join(berth.data, 'token-keys.json'), 'utf8')) as { secret: string }[]
  key = Buffer.from(keys[0]!.secret, 'base64url')
})

afterAll(async () => {
  await berth.stop()
  await another.stop()
  rmSync(data, { recursive: true, force: true })
})

/** All that Berth gives ann. */
async function tokensOf(url: string): Promise<Record<Kind, string>> {
  const offline = await fetchRaw(`${url}/token?offline_token=true`, { headers: basic('ann') })
  const browser = new Visitor()
  await browser.submit(await browser.get(`${url}/login`), '/login', { username: 'ann', password: passwordOf('ann') })
  return {
    access: await tokenFor(url, [scope, 'registry:catalog:*'], 'ann'),
    refresh: (offline.json() as { refresh_token: string }).refresh_token,
    session: browser.cookies.get('berth_session')!.value,
  }
}

const form = (fields: Record<string, string>): Sent => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})

const refreshed = (token: string) => form({ grant_type: 'refresh_token', refresh_token: token, scope })

const doors: [name: string, kind: Kind, path: string, request: (token: string) => Sent][] = [
  ...['/v2/', '/v2/team/app/manifests/1', '/v2/team/app/tags/list', '/v2/_catalog', '/metrics'].map(
    (path): (typeof doors)[number] => [path, 'access', path, (token) => ({ headers: bearer(token) })],
  ),
  ['a push', 'access', '/v2/team/app/blobs/uploads/', (token) => ({ method: 'POST', headers: bearer(token) })],
  ['/token', 'refresh', '/token', refreshed],
  ['a page', 'session', '/account', (token) => ({ headers: { cookie: `berth_session=${token}` } })],
  ['the admin API', 'session', '/api/v1/tokens', (token) => ({ headers: { cookie: `berth_session=${token}` } })],
]

type Json = Record<string, unknown>
const part = (json: Json | unknown[]) => Buffer.from(JSON.stringify(json)).toString('base64url')
const split = (token: string) => token.split('.') as [header: string, claims: string, signature: string]
const hmac = (signed: string, by: string | Buffer) =>
  `${signed}.${createHmac('sha256', by).update(signed).digest('base64url')}`

/** The token with this instead in its header and claims, signed by a secret: the right one where none is given. */
function forge(
  token: string,
  { header = {}, claims = {} }: { header?: Json; claims?: Json },
  by: string | Buffer = key,
) {
  const changed = [
    { ...decodeProtectedHeader(token), ...header },
    { ...decodeJwt(token), ...claims },
  ]
  return hmac(changed.map(part).join('.'), by)
}

/** Signed by a key of its own, whose public half it brings along. */
function byOwnKey(token: string): string {
  const header = { ...decodeProtectedHeader(token), alg: 'RS256', jwk: rsa.publicKey.export({ format: 'jwk' }) }
  const signed = `${part(header)}.${split(token)[1]}`
  return `${signed}.${sign('sha256', Buffer.from(signed), rsa.privateKey).toString('base64url')}`
}

const soon = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds
const kid = (name: unknown, by?: string) => (token: string) => forge(token, { header: { kid: name } }, by)
const claims = (changed: Json) => (token: string) => forge(token, { claims: changed })

const forged: [name: string, from: (token: string) => string][] = [
  ['for another audience', claims({ aud: 'registry.example' })],
  ['for no audience', claims({ aud: undefined })],
  ['of another issuer', claims({ iss: 'https://auth.example' })],
  ['that has expired', claims({ exp: soon(-5) })],
  ['that is not valid yet', claims({ nbf: soon(3_600) })],
  ['without an algorithm', (token) => `${part({ ...decodeProtectedHeader(token), alg: 'none' })}.${split(token)[1]}.`],
  ['without an algorithm, with a signature', (token) => forge(token, { header: { alg: 'nOnE' } })],
  ['that says another algorithm', (token) => forge(token, { header: { alg: 'HS512' } })],
  ['signed by a key that it brings along', byOwnKey],
  ['signed by a public key', (token) => forge(token, {}, rsa.publicKey.export({ type: 'spki', format: 'pem' }))],
  ['signed by the name of the key', (token) => forge(token, {}, decodeProtectedHeader(token).kid)],
  ['signed by nothing', (token) => forge(token, {}, '')],
  ['of a key that is not there', kid('0123456789ab')],
  ['of a key without a name', kid(undefined)],
  ['whose key is a file', kid('../../../../../../dev/null', '')],
  ['whose key is the file of keys', kid('token-keys.json')],
  ['whose key every object has', kid('__proto__', '')],
  ['whose key is no text', kid({ $ne: '' })],
  [
    'of another user',
    (token) => [split(token)[0], part({ ...decodeJwt(token), sub: 'root' }), split(token)[2]].join('.'),
  ],
  ['with one more claim', (token) => [split(token)[0], part({ ...decodeJwt(token), a: 1 }), split(token)[2]].join('.')],
  ['cut at its end', (token) => token.slice(0, -2)],
  ['cut in its claims', (token) => token.slice(0, split(token)[0].length + 20)],
  ['without its signature', (token) => split(token).slice(0, 2).join('.')],
  ['with a fourth part', (token) => `${token}.${split(token)[2]}`],
  ['whose claims are a list', (token) => hmac(`${split(token)[0]}.${part([])}`, key)],
  ['without a header', (token) => `.${split(token)[1]}.${split(token)[2]}`],
  ['of many kilobytes', (token) => forge(token, { claims: { more: 'x'.repeat(8_000) } }, 'x')],
]

async function open([, , path, request]: (typeof doors)[number], token: string): Promise<Received> {
  return fetchRaw(berth.url + path, request(token))
}

/** Refused in the form of whoever is asked, with nothing of what is behind. */
function expectClosed([, , path]: (typeof doors)[number], answer: Received): void {
  expect(answer.text()).not.toMatch(/layers|schemaVersion|"tags"|"repositories"|secret layer|berth_requests| at \w+ \(/)
  // A page shows the way to the login.
  expect([answer.status, answer.text().includes('Log in')]).toEqual([401, path === '/account'])
  if (path.startsWith('/v2/') || path === '/token') expectError(answer, 'UNAUTHORIZED')
  if (path.startsWith('/v2/'))
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm=.*error="invalid_token"/)
}

describe('a token', () => {
  it.each(doors)('opens %s where it is real, and made anew by the same key', async (...door) => {
    for (const token of [real[door[1]], forge(real[door[1]], {})]) {
      expect((await open(door, token)).status).toBeLessThan(300)
    }
  })

  it.each(forged)('%s opens nothing', async (_, from) => {
    for (const door of doors) expectClosed(door, await open(door, from(real[door[1]])))
  })

  it('of another Berth opens nothing', async () => {
    for (const door of doors) expectClosed(door, await open(door, foreign[door[1]]))
  })

  it('of one kind opens nothing of another, and is no password', async () => {
    for (const door of doors) {
      for (const [kind, token] of Object.entries(real)) {
        if (kind !== door[1]) expectClosed(door, await open(door, token))
      }
    }
    for (const token of Object.values(real))
      expectError(await askToken(berth.url, [], basic('ann', token)), 'UNAUTHORIZED')
  })
})

describe('scopes', () => {
  const huge: [name: string, scopes: string[]][] = [
    ['a thousand times', Array<string>(1_000).fill(scope)],
    ['of a thousand actions', [`repository:team/app:${'pull,push,delete,'.repeat(600)}*`]],
    ['of a name of kilobytes', [`repository:team/${'app/'.repeat(2_000)}:pull`]],
    ['of nothing but colons', [`repository:${':'.repeat(8_000)}`]],
    [
      'of a class and odd actions',
      ['repository(plugin):team/app:pull', 'repository:team/app:,,*,', 'registry:catalog:*'],
    ],
    [
      'of names that lead elsewhere',
      ['repository:../team/app:pull', 'repository:team//app:pull', 'repository:team%2Fapp:pull'],
    ],
  ]

  it.each(huge)('%s give eve and nobody no more than one does', async (_, scopes) => {
    const password = { grant_type: 'password', username: 'eve', password: passwordOf('eve'), scope: scopes.join(' ') }
    for (const answer of [await fetchRaw(`${berth.url}/token`, form(password)), await askToken(berth.url, scopes)]) {
      // Of a URL it is the length that is refused.
      if (answer.status === 431) continue
      expect(answer.status).toBe(200)
      const { token } = answer.json() as { token: string }
      expect(token.length).toBeLessThan(8_000)
      for (const path of ['manifests/1', 'tags/list']) {
        const seen = await fetchRaw(`${berth.url}/v2/team/app/${path}`, { headers: bearer(token) })
        expect([401, 404]).toContain(seen.status)
        expectError(seen, seen.status === 401 ? 'UNAUTHORIZED' : 'NAME_UNKNOWN')
      }
    }
  })
})

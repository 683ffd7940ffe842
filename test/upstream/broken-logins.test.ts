import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// A login that stops working: what is cached is still served, what everybody may read is still fetched, and the metric
// says which login of which upstream it is.

const image = (text: string) => ({
  blobs: { [text]: text },
  manifests: { m: { config: text, layers: [text] } },
  tags: { 1: 'm' },
})
const content = { 'org/open': image('open'), 'org/new': image('new'), 'org/secret': image('secret') }
const isPrivate = ['org/secret']

type Auth = NonNullable<UpstreamOptions['auth']>

const logins: [what: string, good: Auth, broken: Auth, settings: Record<string, unknown>, openToAll: boolean][] = [
  [
    'a password, by a token server',
    { kind: 'bearer', users: { me: 's3cret' }, private: isPrivate },
    { kind: 'bearer', users: { me: 'other' }, private: isPrivate },
    { username: 'me', password: 's3cret' },
    true,
  ],
  [
    'an identity token',
    { kind: 'bearer', refreshTokens: { 's3cret.refresh': 'me' }, private: isPrivate },
    { kind: 'bearer', private: isPrivate },
    { identityToken: 's3cret.refresh' },
    true,
  ],
  [
    'a bearer token',
    { kind: 'bearer', fixedToken: 's3cret.token', private: isPrivate },
    { kind: 'bearer', private: isPrivate },
    { bearerToken: 's3cret.token' },
    true,
  ],
  [
    'a password, by Basic',
    { kind: 'basic', users: { me: 's3cret' } },
    { kind: 'basic', users: { me: 'other' } },
    { username: 'me', password: 's3cret' },
    false,
  ],
]

async function start(auth: Auth, settings: Record<string, unknown>) {
  const clock = makeClock()
  const upstream = await startUpstream({ content, auth, clock })
  const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: '1m', ...settings }]
  const berth = await startBerth({ clock, upstreams, access: { private: 'open' } })
  const pull = (name: string) => fetchRaw(`${berth.url}/v2/${name}/manifests/1`)
  const metrics = async () => (await fetchRaw(`${berth.url}/metrics`)).text()
  const broken = async (account: string) =>
    new RegExp(`^berth_upstream_credentials_broken\\{upstream="docker.io",account="${account}"\\} (\\d)`, 'm').exec(
      await metrics(),
    )?.[1]
  return { upstream, clock, berth, pull, metrics, broken }
}

describe.each(logins)('%s that is refused from now on', (_, good, bad, credentials, openToAll) => {
  it('leaves what is cached to clients, asks without a login for the rest, and is told until it is mended', async () => {
    const { upstream, clock, pull, metrics, broken } = await start(good, { credentials })
    expect([(await pull('org/secret')).status, (await pull('org/open')).status]).toEqual([200, 200])
    expect(await broken('credentials')).not.toBe('1')
    upstream.set({ auth: bad })
    upstream.expireTokens()
    clock.advance(3_600_000)
    const kept = await pull('org/secret')
    expect([kept.status, kept.headers.warning]).toEqual([200, expect.stringContaining('110')])
    const open = await pull('org/open')
    expect([open.status, open.headers.warning === undefined]).toEqual([200, openToAll])
    expect((await pull('org/new')).status).toBe(openToAll ? 200 : 403)
    expect(await broken('credentials')).toBe('1')
    expect(await metrics()).not.toContain('s3cret')
    upstream.set({ auth: good })
    clock.advance(3_600_000)
    expect((await pull('org/secret')).headers.warning).toBeUndefined()
    expect(await broken('credentials')).toBe('0')
  })
})

it('one of several logins that breaks is the one that is told', async () => {
  const folder = makeFolder({ ci: 'ci-pw', dev: 'dev-pw' })
  const accounts = ['ci', 'dev'].map((name) => ({
    name,
    repositories: name === 'ci' ? ['org/secret'] : ['**'],
    username: name,
    passwordFile: path.join(folder, name),
  }))
  const auth = { kind: 'bearer', users: { ci: 'ci-pw', dev: 'dev-pw' }, private: isPrivate } as const
  const { pull, broken } = await start(auth, { accounts })
  writeFileSync(path.join(folder, 'ci'), 'wrong')
  expect([(await pull('org/secret')).status, (await pull('org/open')).status]).toEqual([403, 200])
  expect([await broken('ci'), await broken('dev')]).toEqual(['1', undefined])
})

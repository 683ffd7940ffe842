import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startAcr, startEntra } from '../helpers/registries/azure.ts'
import { startEcrApi } from '../helpers/registries/ecr.ts'
import { startGoogleTokens } from '../helpers/registries/google.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Every kind of login at once, working and then not, and a look at all that Berth shows or keeps.

const content = {
  'org/app': { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } },
}

type Auth = NonNullable<UpstreamOptions['auth']>
const basic = (users: Record<string, string>): Auth => ({ kind: 'basic', users })
const bearer = (users: Record<string, string>): Auth => ({ kind: 'bearer', users, anonymous: false })

async function startServices() {
  const google = await startGoogleTokens('ya29.s3cret-google')
  const ecr = await startEcrApi(Date.now, () => 's3cret-ecr')
  const entra = await startEntra('s3cret-azure', 's3cret-entra-token')
  const acr = await startAcr('s3cret-entra-token')
  const env = {
    AWS_ENDPOINT_URL_ECR: ecr.url,
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 's3cret-aws',
    AWS_EC2_METADATA_DISABLED: 'true',
    AZURE_AUTHORITY_HOST: entra.url,
  }
  return { services: [google.service, ecr, entra, acr], env, googleKey: google.key, acr }
}

const helper = `#!/bin/sh
printf '%s' '{"ServerURL":"","Username":"robot","Secret":"s3cret-helper"}'
`
const dockerConfigOf = (host: string) => {
  const auth = Buffer.from('robot:s3cret-config').toString('base64')
  return JSON.stringify({ auths: { [host]: { auth } } })
}

/** Upstreams by name: who lets whom in, and what Berth logs in with. */
const logins: Record<string, { auth: Auth; credentials: Record<string, unknown> }> = {
  'basic.test': {
    auth: basic({ robot: 's3cret-basic' }),
    credentials: { username: 'robot', password: 's3cret-basic' },
  },
  'token.test': {
    auth: bearer({ robot: 's3cret-token' }),
    credentials: { username: 'robot', password: 's3cret-token' },
  },
  'file.test': {
    auth: bearer({ robot: 's3cret-file' }),
    credentials: { username: 'robot', passwordFile: 'settings/password' },
  },
  'identity.test': {
    auth: { kind: 'bearer', anonymous: false, refreshTokens: { 's3cret-identity': 'robot' } },
    credentials: { identityToken: 's3cret-identity' },
  },
  'bearer.test': {
    auth: { kind: 'bearer', anonymous: false, fixedToken: 's3cret-bearer' },
    credentials: { bearerToken: 's3cret-bearer' },
  },
  'config.test': {
    auth: basic({ robot: 's3cret-config' }),
    credentials: { dockerConfig: 'settings/config.json' },
  },
  'helper.test': {
    auth: bearer({ robot: 's3cret-helper' }),
    credentials: { helper: './settings/docker-credential-x' },
  },
  'ecr.test': {
    auth: basic({ AWS: 's3cret-ecr' }),
    credentials: { provider: 'ecr', region: 'eu-central-1' },
  },
  'google.test': {
    auth: bearer({ oauth2accesstoken: 'ya29.s3cret-google' }),
    credentials: { provider: 'google', keyFile: 'settings/key.json' },
  },
}

/** Everything below a folder, as text: the database and its log of writes among it. */
function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
}

async function startWorld() {
  const { services, env, googleKey, acr } = await startServices()
  const upstreams = new Map<string, Upstream>()
  for (const [name, { auth }] of Object.entries(logins)) {
    upstreams.set(name, await startUpstream({ content, auth, cdn: {} }))
  }
  const configured = [...upstreams].map(([name, { url }]) => ({ name, url, credentials: logins[name]?.credentials }))
  const azure = { provider: 'azure', tenant: 'tenant-1', clientId: 'id', clientSecret: 's3cret-azure' }
  const settings = {
    listen: '127.0.0.1:0',
    storage: { minFree: 0 },
    log: { level: 'trace' },
    access: { private: 'open', user: { username: 'ann', password: 's3cret-admin' } },
    upstreams: [...configured, { name: 'azure.test', url: acr.url, credentials: azure }],
  }
  const folder = makeFolder({
    'settings/berth.yaml': JSON.stringify(settings),
    'settings/password': 's3cret-file',
    'settings/config.json': dockerConfigOf(upstreams.get('config.test')!.host),
    'settings/docker-credential-x': helper,
    'settings/key.json': googleKey,
  })
  chmodSync(path.join(folder, 'settings/docker-credential-x'), 0o755)
  const berth = startBerth(['serve', '--config', 'settings/berth.yaml'], folder, env)
  const [url] = await berth.printed(/http:\/\/127\.0\.0\.1:\d+/)
  const upstreamNames = [...upstreams.keys(), 'azure.test']
  return { services, upstreams, upstreamNames, berth, url, folder, env, googleKey }
}

const admin = `Basic ${Buffer.from('ann:s3cret-admin').toString('base64')}`

type World = Awaited<ReturnType<typeof startWorld>>

/** What clients see of every upstream, and what is there to see for whoever looks after Berth. */
async function looks({ upstreams, upstreamNames, url }: World): Promise<{ texts: string[]; statuses: Set<string> }> {
  const digest = upstreams.get('basic.test')!.content.digest('org/app', 'a')
  const texts: string[] = []
  const statuses = new Set<string>()
  for (const name of upstreamNames) {
    for (const what of ['manifests/1', `blobs/${digest}`, 'tags/list', 'manifests/none', `referrers/${digest}`]) {
      const answer = await fetchRaw(`${url}/v2/${name}/org/app/${what}`, { headers: { 'cache-control': 'no-cache' } })
      texts.push(JSON.stringify(answer.headers), answer.text())
      statuses.add(`${name} ${what.split('/')[0]} ${answer.status}`)
    }
  }
  const pages = [
    '/',
    '/search?q=app',
    '/cache',
    '/account',
    '/accounts',
    ...upstreamNames.map((name) => `/r/${name}/org/app`),
  ]
  for (const at of ['/metrics', '/healthz', '/readyz', '/v2/', '/api/v1/upstreams', ...pages]) {
    for (const headers of [{}, { authorization: admin }]) {
      const answer = await fetchRaw(url + at, { headers })
      texts.push(JSON.stringify(answer.headers), answer.text())
      statuses.add(`${at} ${answer.status}`)
    }
  }
  return { texts, statuses }
}

/** All that was shown to anybody as proof: logins and tokens in every form, and the signatures of URLs. */
function proofs({ services, upstreams, googleKey }: World): string[] {
  const received = [...upstreams.values()].flatMap(({ received }) => received)
  const headers = [...received, ...services.flatMap(({ asked }) => asked)].map((each) => each.headers.authorization)
  const schemes = headers.flatMap((header) => header?.split(' ').slice(1) ?? [])
  const signed = received.filter(({ role }) => role === 'cdn').flatMap(({ url }) => url.split('?')[1] ?? [])
  const forms = services.flatMap(({ asked }) => asked.flatMap(({ form }) => [...form]))
  const secretFields = ['assertion', 'access_token', 'refresh_token', 'client_secret']
  const posted = forms.filter(([field]) => secretFields.includes(field)).map(([, value]) => value)
  const keyLine = (JSON.parse(googleKey) as { private_key: string }).private_key.split('\n')[1]!
  return ['s3cret', admin.slice('Basic '.length), 'refresh.of.acr', keyLine, ...schemes, ...signed, ...posted].filter(
    (text) => text.length > 5,
  )
}

it('no password, token, key or signed URL is in the log, the metrics, an answer, a page, the settings shown, or the data folder', async () => {
  const world = await startWorld()
  const { upstreams, berth, folder, env } = world
  const good = await looks(world)
  for (const name of Object.keys(logins)) expect(good.statuses).toContain(`${name} manifests 200`)
  for (const seen of [
    'azure.test tags 200',
    '/metrics 200',
    '/cache 200',
    '/r/bearer.test/org/app 200',
    '/accounts 200',
  ]) {
    expect(good.statuses).toContain(seen)
  }
  const seen = [...good.texts, ...textsBelow(path.join(folder, 'data'))]

  for (const upstream of upstreams.values()) {
    upstream.set({ auth: { kind: 'bearer', users: {}, anonymous: false, private: ['org/app'] } })
    upstream.expireTokens()
  }
  seen.push(...(await looks(world)).texts)
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()))
  seen.push(...(await looks(world)).texts)

  // Lines are gathered before they are written.
  await berth.printed(/the credentials of upstream/)
  // Killed, so that the database's log of writes is still beside it.
  berth.child.kill('SIGKILL')
  await berth.ended
  expect(existsSync(path.join(folder, 'data', 'berth.db-wal'))).toBe(true)
  const shown = startBerth(['config', '--config', 'settings/berth.yaml'], folder, env)
  await shown.ended
  expect(shown.output).toContain('identity.test')
  expect(seen.join('')).toContain('login of credentials refused')
  seen.push(berth.output, shown.output, ...textsBelow(path.join(folder, 'data')))

  const all = new Set(proofs(world))
  expect(all.size).toBeGreaterThan(20)
  for (const proof of all) expect([proof, seen.filter((text) => text.includes(proof))]).toEqual([proof, []])
}, 60_000)

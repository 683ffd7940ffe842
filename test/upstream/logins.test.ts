import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { parseRepositoryName } from '../../src/oci/reference.ts'
import type { Login } from '../../src/upstream/upstream.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startReader } from '../helpers/reader.ts'
import { startAcr, startEntra, startIdentity } from '../helpers/registries/azure.ts'
import { startEcrApi } from '../helpers/registries/ecr.ts'
import { startGoogleMetadata, startGoogleTokens } from '../helpers/registries/google.ts'
import { startService } from '../helpers/registries/service.ts'
import { startUpstream, type UpstreamOptions } from '../helpers/upstream.ts'

// Every way to get a login, each against a server that speaks the real dialect.

const image = { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }
const content = { 'org/app': image }
const name = parseRepositoryName('org/app')

beforeEach(() => () => vi.unstubAllEnvs())

/** A registry that takes one user and password, by a token server as most do. */
async function start(users: Record<string, string>, login: Login, more: Partial<UpstreamOptions> = {}) {
  const auth = { kind: 'bearer', users, anonymous: false } as const
  const upstream = await startUpstream({ content, auth, ...more })
  const reader = await startReader({ url: upstream.url, credentials: login })
  return { upstream, reader, pull: () => reader.manifest('org/app', '1') }
}

describe('a Docker config.json', () => {
  const config = (value: unknown) => path.join(makeFolder({ 'config.json': JSON.stringify(value) }), 'config.json')
  const basic = (text: string) => Buffer.from(text).toString('base64')

  it('holds the login under the host of the registry', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { me: 'p:w' } } })
    const dockerConfig = config({ auths: { [upstream.host]: { auth: basic('me:p:w') } } })
    const reader = await startReader({ url: upstream.url, credentials: { dockerConfig } })
    await reader.manifest('org/app', '1')
  })

  it('names a helper for the registry, a program that is run', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { robot: 'of helper' } } })
    const folder = helperFolder('test', upstream.host, { Username: 'robot', Secret: 'of helper' })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    const dockerConfig = config({ credHelpers: { [upstream.host]: 'test' } })
    const reader = await startReader({ url: upstream.url, credentials: { dockerConfig } })
    await reader.manifest('org/app', '1')
  })

  it('without the registry is told of, and public images are pulled without a login', async () => {
    const { reader, pull } = await start({}, { dockerConfig: config({ auths: {} }) }, { auth: { kind: 'bearer' } })
    await pull()
    const [event] = reader.events.filter(({ type }) => type === 'credentials')
    expect(event).toMatchObject({ good: false, why: expect.stringContaining('has no login for') as string })
  })
})

/** A folder with the program docker-credential-<name>, which knows one server. */
function helperFolder(helper: string, server: string, answer: { Username: string; Secret: string }): string {
  const folder = makeFolder()
  const file = path.join(folder, `docker-credential-${helper}`)
  writeFileSync(
    file,
    `#!/bin/sh
[ "$1" = get ] || exit 2
read -r server
[ "$server" = "${server}" ] || { echo credentials not found in native keychain; exit 1; }
printf '%s' '${JSON.stringify({ ServerURL: server, ...answer })}'
`,
  )
  chmodSync(file, 0o755)
  return folder
}

describe('a credential helper', () => {
  it('gives a user and password', async () => {
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { robot$ci: 'pw' } } })
    const helper = path.join(
      helperFolder('x', upstream.host, { Username: 'robot$ci', Secret: 'pw' }),
      'docker-credential-x',
    )
    const reader = await startReader({ url: upstream.url, credentials: { helper } })
    await reader.manifest('org/app', '1')
  })

  it('that is not there ends in DENIED, and its name is told', async () => {
    const { reader, pull } = await start({ me: 'pw' }, { helper: 'not-there' })
    await expect(pull()).rejects.toMatchObject({ status: 403 })
    const [event] = reader.events.filter(({ type }) => type === 'credentials')
    expect(event).toMatchObject({
      why: expect.stringContaining('docker-credential-not-there') as string,
    })
  })
})

describe('a password file', () => {
  it('is read again when it has changed', async () => {
    const passwordFile = path.join(makeFolder({ pw: 'old\n' }), 'pw')
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { me: 'new' } } })
    const reader = await startReader({ url: upstream.url, credentials: { username: 'me', passwordFile } })
    await expect(reader.manifest('org/app', '1')).rejects.toMatchObject({ status: 403 })
    writeFileSync(passwordFile, 'new\n')
    await reader.manifest('org/app', '1')
  })
})

describe('tokens', () => {
  it('an identity token is exchanged by POST for a token of the repository (docker login to ACR and others)', async () => {
    const acr = await startAcr('not used')
    const reader = await startReader({ url: acr.url, credentials: { identityToken: 'refresh.of.acr' } })
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1'])
  })

  it('a bearer token goes to the registry as it is, and to no token server', async () => {
    const registry = await startService(({ headers }) =>
      headers.authorization === 'Bearer the.token'
        ? { status: 200, json: { tags: ['1'] } }
        : { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token",service="x"' } },
    )
    const reader = await startReader({ url: registry.url, credentials: { bearerToken: 'the.token' } })
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1'])
    expect(registry.asked.filter(({ url }) => url.startsWith('/token'))).toEqual([])
  })
})

describe('Amazon ECR', () => {
  const environment = (api: string) => {
    vi.stubEnv('AWS_ENDPOINT_URL_ECR', api)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  }

  it('gives a password by the SDK, renewed before its 12 hours are over', async () => {
    const clock = makeClock()
    const api = await startEcrApi(
      () => clock.now(),
      (call) => `password ${call}`,
    )
    environment(api.url)
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { AWS: 'password 1' } } })
    const credentials = { provider: 'ecr', region: 'eu-central-1' } as const
    const reader = await startReader({ url: upstream.url, credentials, clock })
    await reader.manifest('org/app', '1')
    clock.advance(10 * 3_600_000)
    await reader.manifest('org/app', '1')
    expect(api.asked).toHaveLength(1)
    upstream.set({ auth: { kind: 'basic', users: { AWS: 'password 2' } } })
    clock.advance(3_600_000)
    await reader.manifest('org/app', '1')
    expect(api.asked).toHaveLength(2)
    expect(upstream.count(/ 401$/)).toBe(1)
  })

  it('whose password was taken back early gives another one after the refusal', async () => {
    const clock = makeClock()
    const api = await startEcrApi(
      () => clock.now(),
      (call) => `password ${call}`,
    )
    environment(api.url)
    const upstream = await startUpstream({ content, auth: { kind: 'basic', users: { AWS: 'password 1' } } })
    const credentials = { provider: 'ecr', region: 'eu-central-1' } as const
    const reader = await startReader({ url: upstream.url, credentials, clock })
    await reader.manifest('org/app', '1')
    upstream.set({ auth: { kind: 'basic', users: { AWS: 'password 2' } } })
    clock.advance(120_000)
    await reader.manifest('org/app', '1')
  })
})

describe('Google', () => {
  it('gives a token for a service account key', async () => {
    const { service, key } = await startGoogleTokens('ya29.key')
    const keyFile = path.join(makeFolder({ 'key.json': key }), 'key.json')
    const { pull } = await start({ oauth2accesstoken: 'ya29.key' }, { provider: 'google', keyFile })
    await pull()
    await pull()
    expect(service.asked).toHaveLength(1)
  })

  it('gives a token by the metadata server', async () => {
    const metadata = await startGoogleMetadata('ya29.machine')
    vi.stubEnv('GCE_METADATA_HOST', new URL(metadata.url).host)
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
    const { pull } = await start({ oauth2accesstoken: 'ya29.machine' }, { provider: 'google' })
    await pull()
  })

  it('takes a key as a password as well: user _json_key', async () => {
    const { pull } = await start(
      { _json_key: '{"type":"service_account"}' },
      { username: '_json_key', password: '{"type":"service_account"}' },
    )
    await pull()
  })
})

describe('Azure', () => {
  it('gives a refresh token for the token of an application', async () => {
    const [acr, entra] = [await startAcr('entra token'), await startEntra('s3cret', 'entra token')]
    vi.stubEnv('AZURE_AUTHORITY_HOST', entra.url)
    const credentials = { provider: 'azure', tenant: 'tenant-1', clientId: 'id', clientSecret: 's3cret' } as const
    const reader = await startReader({ url: acr.url, credentials })
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1'])
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1'])
    expect(acr.asked.filter(({ url }) => url === '/oauth2/exchange')).toHaveLength(1)
  })

  it('gives one for the managed identity', async () => {
    const [acr, identity] = [await startAcr('machine token'), await startIdentity('header', 'machine token')]
    vi.stubEnv('IDENTITY_ENDPOINT', `${identity.url}/msi/token`)
    vi.stubEnv('IDENTITY_HEADER', 'header')
    const reader = await startReader({ url: acr.url, credentials: { provider: 'azure' } })
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1'])
  })
})

describe('user and password of', () => {
  it.each([
    ['a GitLab deploy token, by a token server on another host', 'gitlab+deploy-token-1', 'gldt-abc'],
    ['a Quay robot', 'org+robot', 'ABC'],
    ['a Harbor robot', 'robot$project+ci', 'pw'],
    ['an access token of nvcr.io', '$oauthtoken', 'nvapi-1'],
  ])('%s', async (_, username, password) => {
    const auth = { kind: 'bearer', users: { [username]: password }, anonymous: false, realmHost: 'other' } as const
    const upstream = await startUpstream({ content, auth })
    const credentials = { username, password }
    const reader = await startReader({ url: upstream.url, credentials, tokenHosts: [upstream.tokenHost] })
    await reader.manifest('org/app', '1')
  })

  it('Artifactory and Nexus: Basic below a path', async () => {
    const answer = `Basic ${Buffer.from('ci:pw').toString('base64')}`
    const artifactory = await startService(({ url, headers }) => {
      if (headers.authorization !== answer)
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="Artifactory"' } }
      if (url.startsWith('/artifactory/api/docker/local/v2/org/app/tags/list?n=1000')) {
        // It names the next page as if it stood at the root.
        return {
          status: 200,
          json: { tags: ['1'] },
          headers: { link: '</v2/org/app/tags/list?n=1&last=1>; rel="next"' },
        }
      }
      return url === '/artifactory/api/docker/local/v2/org/app/tags/list?n=1&last=1'
        ? { status: 200, json: { tags: ['2'] } }
        : { status: 404 }
    })
    const credentials = { username: 'ci', password: 'pw' }
    const reader = await startReader({ url: `${artifactory.url}/artifactory/api/docker/local`, credentials })
    expect((await reader.registry.listTags(name, {})).tags).toEqual(['1', '2'])
  })
})

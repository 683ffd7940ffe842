import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig, type Config } from '../../src/config/config.ts'
import { makeFolder } from '../helpers/folder.ts'

const GiB = 2 ** 30

function load(yaml: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ file: join(makeFolder({ 'berth.yaml': yaml }), 'berth.yaml'), env })
}

function upstream(config: Config, name: string) {
  return config.upstreams.find((upstream) => upstream.name === name)
}

describe('with no configuration', () => {
  const config = loadConfig({ env: {} })

  it('listens on loopback and keeps 100 GiB in ./data', () => {
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 5000 })
    expect(config.storage).toEqual({ data: './data', maxSize: 100 * GiB, minFree: 5 * GiB, pins: [] })
    expect(config.access).toEqual({ anonymous: 'pull', private: 'login', policy: [], oidc: [], workloads: [] })
    expect(config.shutdownGrace).toBe(30_000)
    expect(config.publicUrl).toBeUndefined()
    expect(config.trustedProxies).toEqual([])
  })

  it('fetches blobs from 16 MiB on over 4 connections', () => {
    expect(config.fill).toEqual({
      connections: 4,
      parallelThreshold: 16 * 2 ** 20,
      complete: 'always',
      maxTotalConnections: 64,
      maxConnectionsPerUpstream: 24,
    })
  })

  it('knows the public registries, docker.io being the default', () => {
    expect(config.upstreams.map(({ name }) => name)).toEqual([
      'docker.io',
      'ghcr.io',
      'quay.io',
      'gcr.io',
      'registry.k8s.io',
      'mcr.microsoft.com',
      'public.ecr.aws',
      'registry.gitlab.com',
      'nvcr.io',
    ])
    expect(config.upstreams.filter((upstream) => upstream.default).map(({ name }) => name)).toEqual(['docker.io'])
    expect(upstream(config, 'docker.io')).toMatchObject({
      url: 'https://registry-1.docker.io',
      aliases: ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'],
      tokenHosts: ['auth.docker.io'],
      freshness: 60_000,
    })
  })
})

describe('the file', () => {
  it('is over the defaults, and an empty key is as good as none', () => {
    const config = load('publicUrl:\nstorage: { maxSize: 5GB }\nlisten: "[::1]:6000"\n')
    expect(config.storage).toEqual({ data: './data', maxSize: 5e9, minFree: 5 * GiB, pins: [] })
    expect(config.listen).toEqual({ host: '::1', port: 6000 })
    expect(config.publicUrl).toBeUndefined()
  })

  it('may be empty', () => {
    expect(load('# nothing yet\n')).toEqual(loadConfig({ env: {} }))
  })

  it('is config/berth.yaml of the working folder where that exists and none is named', () => {
    const before = process.cwd()
    onTestFinished(() => process.chdir(before))
    process.chdir(makeFolder({ 'config/berth.yaml': 'log: { level: warn }' }))
    expect(loadConfig({ env: {} }).log.level).toBe('warn')
  })

  it('overrides keys of a known upstream and leaves its others alone', () => {
    const config = load('upstreams: [{ name: docker.io, freshness: 10s }]')
    expect(upstream(config, 'docker.io')).toMatchObject({
      freshness: 10_000,
      default: true,
      tokenHosts: ['auth.docker.io'],
    })
  })

  it('removes a known upstream with enabled: false', () => {
    expect(upstream(load('upstreams: [{ name: nvcr.io, enabled: false }]'), 'nvcr.io')).toBeUndefined()
  })

  it('adds an upstream, which may be the default', () => {
    const config = load('upstreams: [{ name: corp, url: "https://registry.corp.example/v/docker/", default: true }]')
    expect(upstream(config, 'corp')).toMatchObject({ url: 'https://registry.corp.example/v/docker', default: true })
    expect(upstream(config, 'docker.io')?.default).toBe(false)
  })

  it('reads freshness and its rules, always being for ever and never being no time', () => {
    const rules = '[{ match: "library/*:latest", freshness: 10s }, { match: "*:v1", freshness: always }]'
    const config = load(`upstreams: [{ name: quay.io, freshness: never, rules: ${rules} }]`)
    expect(upstream(config, 'quay.io')).toMatchObject({
      freshness: 0,
      rules: [
        { match: 'library/*:latest', freshness: 10_000 },
        { match: '*:v1', freshness: Infinity },
      ],
    })
  })
})

describe('a provider of logins', () => {
  it('needs a name, an issuer and a client id; the rest has defaults, and no secret is asked for', () => {
    const { oidc } = load('access: { oidc: [{ name: corp, issuer: "http://127.0.0.1:9/a/", clientId: berth }] }').access
    const defaults = { scopes: ['openid', 'profile', 'email'], userClaim: 'preferred_username' }
    const rules = { allow: [], admins: [], organizations: [] }
    const given = { name: 'corp', issuer: 'http://127.0.0.1:9/a/', clientId: 'berth' }
    expect(oidc).toEqual([{ ...given, ...defaults, ...rules }])
  })

  it('may stand in the environment, with all its rules', () => {
    const secret = join(makeFolder({ secret: 's3cret' }), 'secret')
    const written = `[{ name: corp, issuer: "https://login.example", clientId: a, clientSecretFile: ${secret},
      organizations: [{ claims: { groups: devs }, organization: team, role: writer }] }]`
    const [provider] = load('', { BERTH_ACCESS_OIDC: written }).access.oidc
    expect(provider).toMatchObject({
      clientSecretFile: secret,
      organizations: [{ claims: { groups: 'devs' }, organization: 'team', role: 'writer' }],
    })
  })
})

describe('an upstream over http://', () => {
  it.each(['127.0.0.1:5001', '127.9.9.9', 'localhost:5001', 'hub.localhost', '[::1]:80'])('may be at %s', (host) => {
    expect(upstream(load(`upstreams: [{ name: a, url: "http://${host}" }]`), 'a')).toBeDefined()
  })

  it.each(['127.0.0.1.example', 'localhost.example', '10.0.0.1', '[::2]', 'registry'])(
    'may be at %s with insecure: true only',
    (host) => {
      const yaml = (more: string) => `upstreams: [{ name: a, url: "http://${host}"${more} }]`
      expect(() => load(yaml(''))).toThrow('upstreams[a].url: must be an https:// URL')
      expect(upstream(load(yaml(', insecure: true')), 'a')?.insecure).toBe(true)
    },
  )
})

describe('secrets', () => {
  const withPassword = (more: string) => `upstreams: [{ name: quay.io, credentials: { username: robot, ${more} } }]`

  it('may stand in a file of their own, whose last newline is not part of them', () => {
    const file = join(makeFolder({ password: 's3cret \n' }), 'password')
    const config = load(withPassword(`passwordFile: ${file}`))
    expect(upstream(config, 'quay.io')?.credentials).toEqual({ username: 'robot', password: 's3cret ' })
  })

  it('come from a file named in the environment before the password in the YAML file', () => {
    const file = join(makeFolder({ password: 'new' }), 'password')
    const env = { BERTH_UPSTREAMS_QUAY_IO_CREDENTIALS_PASSWORD_FILE: file }
    expect(upstream(load(withPassword('password: old'), env), 'quay.io')?.credentials?.password).toBe('new')
  })
})

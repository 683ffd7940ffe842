import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { makeFolder } from '../helpers/folder.ts'

function mistakes(yaml: string, env: NodeJS.ProcessEnv = {}): string {
  const folder = makeFolder({ 'berth.yaml': yaml })
  try {
    loadConfig({ file: join(folder, 'berth.yaml'), env })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes.join('\n').replaceAll(folder, '<folder>') + '\n'
  }
  return ''
}

const wrongFile = `
listen: 5000
publicUrl: https://registry.example/berth
trustedProxies: [10.0.0.0/8, 10.0.0.0/33, proxy.example]
storge: { data: ./data }
storage:
  data: ""
  maxsize: 1GiB
  minFree: plenty
upstreams:
  - name: Docker.IO
    url: https://user:hunter2@registry-1.docker.io
  - url: https://nameless.example
  - name: quay.io
    freshness: 90
    aliases: [ghcr.io]
    credentials: { username: robot, pasword: hunter2 }
  - name: quay.io
  - name: gcr.io
    credentials: "robot:hunter2"
  - name: corp.example
    url: http://corp.example
    default: yes
    maxIdle: never
    rules: [{ match: "*:latest" }, always]
  - name: nvcr.io
    credentials: { username: robot, password: 12345678, passwordFile: /nowhere/password }
  - name: public.ecr.aws
    default: true
    credentials: { username: robot, passwordFile: /nowhere/password }
  - name: mcr.microsoft.com
    default: true
  - name: registry.k8s.io
    signatures:
      - { match: "org/app:1", policy: enforce }
      - { match: "**", policy: strict, keys: [/nowhere/cosign.pub], identities: [{ issuer: x, subject: a, subjectPattern: b }] }
fill: { connections: 0, complete: sometimes, maxTotalConnections: 2.5 }
access:
  anonymous: delete
  oidc:
    - { name: corp, issuer: "http://login.example", clientId: a, clientSecretFile: /nowhere/secret, scopes: [email] }
    - { name: corp, issuer: "https://login.example/?x", clientSecret: s3cret, allow: [{}], admins: [{ groups: [a] }] }
    - { name: Corp, issuer: "https://login.example", clientId: a, organizations: [{ claims: { groups: a }, role: boss }] }
    - { name: twin, issuer: "https://login.example", clientId: a }
network: { extraCaFile: /nowhere/ca.pem }
webhooks:
  - { name: ci, url: 'https://ci.example/hook', secretFile: /nowhere/secret }
  - { name: ci, url: 'https://ci.example/other', secretFile: /nowhere/secret }
log: warn
shutdownGrace: 2d
`

const wrongEnvironment = {
  BERTH_LISTEN: '::1:5000',
  BERTH_STORAGE_MAXSIZE: '1GiB',
  BERTH_FILL_CONNECTIONS: 'four',
  BERTH_COLOUR: 'blue',
  BERTH_UPSTREAMS_GHCR_IO_INSECURE: 'yes',
  BERTH_UPSTREAMS_GHCR_IO_RULES: '{',
  BERTH_UPSTREAMS_OTHER_URL: 'https://other.example',
  BERTH_UPSTREAMS_NEW_NAME: 'new.example',
  BERTH_UPSTREAMS_GHCR_IO_CREDENTIALS_USERNAME: 'robot',
  BERTH_UPSTREAMS_GHCR_IO_CREDENTIALS_PASSWORD_FILE: '/nowhere/password',
}

describe('mistakes', () => {
  it('of the file are told all together', async () => {
    await expect(mistakes(wrongFile)).toMatchFileSnapshot('../golden/config-mistakes-file.txt')
  })

  it('of the environment are told all together, with the variable', async () => {
    await expect(mistakes('', wrongEnvironment)).toMatchFileSnapshot('../golden/config-mistakes-environment.txt')
  })

  it('tell a private key, a certificate and other files from the public key of a signature rule', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const folder = makeFolder({ 'cosign.key': pem, 'root.json': '{"tlogs":[]}' })
    const rule = `{ match: "**", policy: warn, keys: [${join(folder, 'cosign.key')}] }`
    const found = mistakes(
      `upstreams: [{ name: docker.io, signatures: [${rule}] }]\nsignatures: { trustedRootFile: ${join(folder, 'root.json')} }`,
    )
    expect(found).toContain('signatures[0].keys[0]: must be a PEM file of a public key (ECDSA, RSA or Ed25519), saw')
    expect(found).toContain("signatures.trustedRootFile: must be a trusted root of Sigstore's, as JSON, saw")
    expect(found).not.toContain(pem.slice(30, 60))
  })

  it('tell that identities need a trusted root', () => {
    const rule =
      '{ match: "**", policy: warn, identities: [{ issuer: "https://issuer.example", subject: a@example.com }] }'
    expect(mistakes(`upstreams: [{ name: docker.io, signatures: [${rule}] }]`)).toBe(
      'signatures.trustedRootFile: must be a trusted_root.json where a signature rule has identities, saw nothing\n',
    )
  })

  it('of both are told at once', () => {
    const found = mistakes('shutdownGrace: soon', { BERTH_LISTEN: 'here' })
    expect(found).toContain('shutdownGrace: must be')
    expect(found).toContain('listen (BERTH_LISTEN): must be')
  })

  it('never show a secret', () => {
    expect(mistakes(wrongFile)).not.toMatch(/hunter2|12345678/)
    expect(mistakes('upstreams: [{ name: a, credentials: { password: "hunter2" hunter2 } }]')).not.toContain('hunter2')
  })

  it('in YAML are told with their place', () => {
    expect(mistakes('listen: 127.0.0.1:5000\nlog: { level: info\n')).toMatch(
      /^<folder>\/berth.yaml: must be YAML, saw .* at line \d, column \d+\n/,
    )
    expect(mistakes('listen: a\nlisten: b\n')).toBe(
      '<folder>/berth.yaml: must be YAML, saw duplicate key at line 2, column 1\n',
    )
    expect(mistakes('- listen\n')).toBe('<folder>/berth.yaml: must be a group of keys, saw a list\n')
  })

  it('a named file that does not exist is one', () => {
    expect(() => loadConfig({ file: '/nowhere/berth.yaml', env: {} })).toThrow(
      '--config: must be a readable file, saw "/nowhere/berth.yaml" (no such file)',
    )
  })

  it('no default upstream, or two, is one', () => {
    expect(mistakes('upstreams: [{ name: docker.io, enabled: false }]')).toBe(
      'upstreams: must be a list in which one enabled upstream has default: true, saw none\n',
    )
    expect(mistakes('upstreams: [{ name: docker.io, default: true }, { name: quay.io, default: true }]')).toBe(
      'upstreams: must be a list in which one enabled upstream has default: true, saw docker.io and quay.io\n',
    )
  })

  it.each(['*.example.com', '*', 'a.*.example.com'])('a wildcard to be ordered by ACME is one: %s', (domain) => {
    expect(mistakes(`tls: { acme: { domains: [example.com, "${domain}"] } }`)).toBe(
      `tls.acme.domains[1]: must be a domain name without * in it: wildcards cannot be ordered by HTTP-01, saw "${domain}"\n`,
    )
    expect(mistakes('', { BERTH_TLS_ACME_DOMAINS: `[example.com, "${domain}"]` })).toContain('HTTP-01')
    expect(mistakes('tls: { acme: { domains: [example.com] } }')).toBe('')
  })

  it('an upstreams key that is no list is one', () => {
    expect(mistakes('upstreams: { docker.io: { freshness: 1m } }')).toBe(
      'upstreams: must be a list of upstreams, saw a group of keys\n',
    )
  })
})

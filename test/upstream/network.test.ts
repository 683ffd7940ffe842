import { join } from 'node:path'
import { request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isInnerAddress } from '../../src/upstream/inner.js'
import { openNetwork } from '../../src/upstream/network.ts'
import { startBerth as startProcess } from '../helpers/berth-process.ts'
import { hasOpenssl, makeCertificate } from '../helpers/certificates.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startReader } from '../helpers/reader.ts'
import { startUpstream } from '../helpers/upstream.ts'

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }
const content = { 'org/app': image }

describe('an inner address', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '100.64.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '::',
    '::1',
    '[::1]',
    '[::ffff:7f00:1]',
    '::ffff:10.0.0.1',
    'fd00::1',
    'fe80::1',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::808:808',
    '2001::1',
    '2002:a00:1::1',
    'fec0::1',
    'localhost',
    'localhost.',
    'registry.localhost',
  ])('is %s', (host) => expect(isInnerAddress(host)).toBe(true))

  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '[2606:4700::1]',
    '64:ff9b::808:808',
    '::ffff:8.8.8.8',
    'registry.test',
    'localhost.test',
    '',
  ])('is not %s', (host) => expect(isInnerAddress(host)).toBe(false))

  it('behind a name is not connected to where only outer ones may be', async () => {
    const upstream = await startUpstream({ content })
    const network = openNetwork()
    onTestFinished(() => network.close())
    const url = upstream.url.replace('127.0.0.1', 'localhost')
    await expect(request(url, { dispatcher: network.guarded.pooled })).rejects.toThrow(/inner address/)
    expect(upstream.requests).toEqual([])
  })
})

describe.skipIf(!hasOpenssl)('TLS (skipped without openssl)', () => {
  it('of a certificate nobody vouches for is a failure that says so', async () => {
    const upstream = await startUpstream({ content, tls: makeCertificate() })
    const asked = (await startReader({ url: upstream.url })).manifest('org/app', '20')
    await expect(asked).rejects.toMatchObject({ failure: 'tls', status: 502 })
    expect(upstream.requests).toEqual([])
  })

  it('of another host is a failure, although its CA is trusted', async () => {
    const tls = makeCertificate()
    const upstream = await startUpstream({ content, tls })
    const reader = await startReader({ url: upstream.url.replace('127.0.0.1', '127.0.0.2'), extraCa: tls.cert })
    await expect(reader.manifest('org/app', '20')).rejects.toMatchObject({ status: 502 })
  })

  it('by an extra CA is right for the registry, its token server and its CDN', async () => {
    const tls = makeCertificate()
    const upstream = await startUpstream({ content, tls, cdn: {}, auth: { kind: 'bearer', realmHost: 'other' } })
    const reader = await startReader({ url: upstream.url, extraCa: tls.cert })
    const digest = upstream.content.digest('org/app', 'a')
    expect((await reader.blob('org/app', digest)).toString()).toBe('0123456789')
    expect(upstream.received.map(({ role }) => role)).toEqual(['registry', 'token', 'registry', 'cdn'])
  })

  // NODE_EXTRA_CA_CERTS stands for the system's roots here: no test can have a certificate of a public CA.
  it('by an extra CA leaves the usual roots trusted: registry by one, CDN by the other (case 62)', async () => {
    const [own, usual] = [makeCertificate(), makeCertificate()]
    const registry = await startUpstream({ content, tls: own })
    const cdn = await startUpstream({ content, tls: usual })
    const digest = registry.content.digest('org/app', 'a')
    const location = `${cdn.url}/v2/org/app/blobs/${digest}`
    registry.set({ faults: [{ on: /GET .*blobs/, status: 307, headers: { location } }] })
    const settings = {
      listen: '127.0.0.1:0',
      network: { extraCaFile: 'own.pem' },
      upstreams: [{ name: 'docker.io', url: registry.url }],
    }
    const folder = makeFolder({ 'own.pem': own.cert, 'usual.pem': usual.cert, 'b.yaml': JSON.stringify(settings) })
    const env = { NODE_EXTRA_CA_CERTS: join(folder, 'usual.pem') }
    const berth = startProcess(['serve', '--config', 'b.yaml'], folder, env)
    const [, url] = await berth.printed(/listens on (\S+)/)
    expect((await fetchRaw(`${url}/v2/org/app/manifests/20`)).status).toBe(200)
    const blob = await fetchRaw(`${url}/v2/org/app/blobs/${digest}`)
    expect([blob.status, blob.text()]).toEqual([200, '0123456789'])
  })
})

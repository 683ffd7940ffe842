import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { describe, expect, it } from 'vitest'
import { openAuthority, type Authority } from '../../src/proxy/authority.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'

const day = 24 * 3_600_000

describe("the proxy's authority", () => {
  it('is made once, in a file that the owner alone may read, and is the same after a restart', async () => {
    const folder = makeFolder()
    const first = await openAuthority(folder)
    expect((await openAuthority(folder)).certificate).toBe(first.certificate)
    expect(readdirSync(folder)).toEqual(['proxy-ca.pem'])
    expect(statSync(path.join(folder, 'proxy-ca.pem')).mode & 0o777).toBe(0o600)
  })

  it('is one, however many make it at once', async () => {
    const folder = makeFolder()
    const made = await Promise.all(Array.from({ length: 8 }, () => openAuthority(folder)))
    expect(new Set(made.map(({ certificate }) => certificate)).size).toBe(1)
  })

  it('prints its certificate without its key', async () => {
    const { certificate } = await openAuthority(makeFolder())
    expect(certificate).not.toContain('PRIVATE')
    const read = new X509Certificate(certificate)
    expect(read.ca).toBe(true)
    expect(read.verify(read.publicKey)).toBe(true)
  })

  it.each(['quay.io', 'a'.repeat(63) + '.' + 'b'.repeat(63) + '.test', '127.0.0.1'])(
    'is believed for %s',
    async (host) => {
      const authority = await openAuthority(makeFolder())
      const seen = await handshake(authority, host)
      expect(seen.subjectaltname).toContain(host)
    },
  )

  it('makes a new certificate before the last one ends', async () => {
    const clock = makeClock()
    const authority = await openAuthority(makeFolder(), () => clock.now())
    const [first, again] = await Promise.all([authority.contextFor('quay.io'), authority.contextFor('quay.io')])
    expect(again).toBe(first)
    clock.advance(4 * day)
    expect(await authority.contextFor('quay.io')).toBe(first)
    clock.advance(2 * day)
    expect(await authority.contextFor('quay.io')).not.toBe(first)
  })
})

/** A TLS client that trusts this authority alone; rejects unless the server proves to be `host`. */
async function handshake(authority: Authority, host: string): Promise<tls.PeerCertificate> {
  const secureContext = await authority.contextFor(host)
  const server = createServer((socket) => new tls.TLSSocket(socket, { isServer: true, secureContext }).resume())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const name = /^[\d.]+$/.test(host) ? {} : { servername: host }
    const client = tls.connect({ port, host: '127.0.0.1', ca: authority.certificate, ...name })
    await once(client, 'secureConnect')
    const certificate = client.getPeerCertificate()
    client.destroy()
    return certificate
  } finally {
    server.close()
  }
}

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/berth-process.ts'
import { freePort, startPebble } from '../helpers/pebble.ts'
import { describeTool } from '../helpers/tools.ts'

async function shown(url: string): Promise<tls.PeerCertificate> {
  const socket = tls.connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return certificate
}

/** What several new connections are shown. */
async function fingerprints(url: string): Promise<Set<string>> {
  const all = await Promise.all(Array.from({ length: 5 }, () => shown(url)))
  return new Set(all.map(({ fingerprint256 }) => fingerprint256))
}

/** `berth serve` whose certificates come from an authority that makes them for so many seconds. */
async function startWithPebble(validFor?: number) {
  const httpPort = await freePort()
  const pebble = await startPebble(httpPort, validFor)
  const { directory, ca } = pebble
  const settings = {
    listen: '127.0.0.1:0',
    storage: { data: './data', minFree: 0 },
    tls: { acme: { domains: ['localhost'], directory, listen: `127.0.0.1:${httpPort}` } },
  }
  const home = makeFolder({ 'config/berth.yaml': JSON.stringify(settings) })
  const start = async () => {
    const berth = startBerth(['serve'], home, { NODE_EXTRA_CA_CERTS: ca })
    const [, url = ''] = await berth.printed(/listens on (https:\/\/127\.0\.0\.1:\d+)\n/)
    return { berth, url }
  }
  return { pebble, httpPort, home, start, ...(await start()) }
}

describeTool('a certificate by ACME', { tools: ['pebble', 'openssl'] }, () => {
  it(
    'is ordered at the first start, served, kept over a restart, and nobody else reads its key',
    { timeout: 60_000 },
    async () => {
      const { berth: first, url, httpPort, home, start } = await startWithPebble()
      await first.printed(/certificate ordered/)
      const certificate = await shown(url)
      expect([certificate.issuer.CN, certificate.subjectaltname]).toEqual([
        expect.stringContaining('Pebble'),
        'DNS:localhost',
      ])

      const elsewhere = await fetchRaw(`http://127.0.0.1:${httpPort}/v2/`, { headers: { host: 'berth.test' } })
      expect([elsewhere.status, elsewhere.headers.location]).toEqual([308, 'https://berth.test/v2/'])

      const folder = path.join(home, 'data', 'acme')
      for (const file of readdirSync(folder)) expect(statSync(path.join(folder, file)).mode & 0o077).toBe(0)
      first.child.kill('SIGTERM')
      await first.ended
      const second = await start()
      expect((await shown(second.url)).serialNumber).toBe(certificate.serialNumber)
      expect(second.berth.output).not.toContain('certificate ordered')
      expect(new X509Certificate(certificate.raw).checkHost('localhost')).toBe('localhost')
    },
  )

  it(
    'is renewed when a third of its time is left: new connections see it without a restart, those of before go on',
    { timeout: 90_000 },
    async () => {
      const { pebble, berth, url } = await startWithPebble(24)
      await berth.printed(/certificate ordered/)
      const before = await shown(url)
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
      onTestFinished(() => agent.destroy())
      expect((await fetchRaw(`${url}/healthz`, { agent })).status).toBe(200)
      expect(await fingerprints(url)).toEqual(new Set([before.fingerprint256]))

      await berth.printed(/certificate ordered[^]*certificate ordered/)
      const renewed = await shown(url)
      expect(renewed.serialNumber).not.toBe(before.serialNumber)
      expect(renewed.pubkey).not.toEqual(before.pubkey)
      expect(Date.parse(renewed.valid_from)).toBeLessThan(Date.parse(before.valid_to))
      expect((await fetchRaw(`${url}/healthz`, { agent })).status).toBe(200)
      expect(Object.keys(agent.sockets).length + Object.keys(agent.freeSockets).length).toBe(1)

      // What fails then is told, and what there is goes on.
      await pebble.stop()
      await berth.printed(/certificate order failed[^\n]*again in 1 min/)
      expect((await shown(url)).serialNumber).toBe(renewed.serialNumber)
      const metrics = (await fetchRaw(`${url}/metrics`, { agent })).text()
      expect(metrics).toContain('berth_certificates_total{outcome="ordered"} 2')
      expect(metrics).toContain('berth_certificates_total{outcome="order failed"} 1')
    },
  )

  it('that cannot be ordered keeps nothing else from starting, and is tried again', { timeout: 60_000 }, async () => {
    const server = http.createServer((_, response) => response.writeHead(404).end())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    const directory = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir`
    const settings = {
      listen: '127.0.0.1:0',
      storage: { data: './data', minFree: 0 },
      tls: { acme: { domains: ['localhost'], directory, listen: '127.0.0.1:0' } },
    }
    const berth = startBerth(['serve'], makeFolder({ 'config/berth.yaml': JSON.stringify(settings) }))
    await berth.printed(/listens on https/)
    await berth.printed(/order failed.*again in 1 min/)
  })
})

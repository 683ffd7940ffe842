import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from '../helpers/certificates.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/berth-process.ts'
import { describeTool, toolPath } from '../helpers/tools.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A real ACME server on loopback, which asks its questions on `httpPort`; stopped when the running test ends. */
async function startPebble(httpPort: number) {
  const folder = makeFolder()
  const { cert, key } = makeCertificate()
  writeFileSync(path.join(folder, 'cert.pem'), cert)
  writeFileSync(path.join(folder, 'key.pem'), key)
  const [port, management] = [await freePort(), await freePort()]
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: path.join(folder, 'cert.pem'),
      privateKey: path.join(folder, 'key.pem'),
      httpPort,
      tlsPort: 1,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  }
  writeFileSync(path.join(folder, 'pebble.json'), JSON.stringify(config))
  const child = spawn(toolPath('pebble'), ['-config', path.join(folder, 'pebble.json')], {
    env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill())
  child.stderr.resume()
  child.stdout.setEncoding('utf8')
  for (let log = ''; !log.includes('ACME directory available');) log += String(await once(child.stdout, 'data'))
  child.stdout.resume()
  return { directory: `https://localhost:${port}/dir`, ca: path.join(folder, 'cert.pem') }
}

async function shown(url: string): Promise<tls.PeerCertificate> {
  const socket = tls.connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return certificate
}

describeTool('a certificate by ACME', { tools: ['pebble', 'openssl'] }, () => {
  it(
    'is ordered at the first start, served, kept over a restart, and nobody else reads its key',
    { timeout: 60_000 },
    async () => {
      const httpPort = await freePort()
      const { directory, ca } = await startPebble(httpPort)
      const settings = {
        listen: '127.0.0.1:0',
        storage: { data: './data', minFree: 0 },
        tls: { acme: { domains: ['localhost'], directory, listen: `127.0.0.1:${httpPort}` } },
      }
      const home = makeFolder({ 'config/berth.yaml': JSON.stringify(settings) })
      const env = { NODE_EXTRA_CA_CERTS: ca }
      const first = startBerth(['serve'], home, env)
      const [, url = ''] = await first.printed(/listens on (https:\/\/127\.0\.0\.1:\d+)\n/)
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
      const second = startBerth(['serve'], home, env)
      const [, again = ''] = await second.printed(/listens on (https:\/\/127\.0\.0\.1:\d+)\n/)
      expect((await shown(again)).serialNumber).toBe(certificate.serialNumber)
      expect(new X509Certificate(certificate.raw).checkHost('localhost')).toBe('localhost')
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

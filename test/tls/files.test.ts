import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import tls from 'node:tls'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { makeCertificate } from '../helpers/certificates.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { eventually } from '../helpers/open-files.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'

type Pair = ReturnType<typeof makeCertificate>

/** Puts a pair where Berth reads it, as renewers do: by a rename. */
function place(folder: string, { cert, key }: Pair): void {
  for (const [name, text] of [
    ['tls.crt', cert],
    ['tls.key', key],
  ] as const) {
    writeFileSync(path.join(folder, `${name}.new`), text)
    renameSync(path.join(folder, `${name}.new`), path.join(folder, name))
  }
}

async function startSecure(options: BerthOptions = {}, more: object = {}) {
  const folder = makeFolder()
  const pair = makeCertificate()
  place(folder, pair)
  const files = { certFile: path.join(folder, 'tls.crt'), keyFile: path.join(folder, 'tls.key'), ...more }
  const berth = await startBerth({ tls: files, ...options })
  return { folder, pair, berth }
}

/** What a new connection is shown. */
async function shown(url: string, options: tls.ConnectionOptions = {}) {
  const { port } = new URL(url)
  const socket = tls.connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  const seen = { fingerprint256, protocol: socket.getProtocol(), alpn: socket.alpnProtocol }
  socket.destroy()
  return seen
}

const fingerprint = async (url: string) => (await shown(url)).fingerprint256

describeTool('TLS from files', { tools: ['openssl', 'curl'] }, () => {
  it('serves HTTPS alone, and its URL says so', async () => {
    const { berth, pair } = await startSecure()
    expect(berth.url).toMatch(/^https:/)
    const answer = await fetchRaw(`${berth.url.replace('127.0.0.1', 'localhost')}/v2/`, { ca: pair.cert })
    expect(answer.status).toBe(200)
    await expect(fetchRaw(`${berth.url.replace('https', 'http')}/v2/`)).rejects.toThrow()
  })

  it('takes a new pair up without a restart, and keeps connections of before', async () => {
    const { berth, folder } = await startSecure()
    const before = await fingerprint(berth.url)
    place(folder, makeCertificate())
    let now = before
    const looking = setInterval(() => void fingerprint(berth.url).then((seen) => (now = seen)), 100)
    try {
      await eventually(
        () => now !== before,
        () => 'the new certificate is not shown',
      )
    } finally {
      clearInterval(looking)
    }
  })

  it('goes on with the pair of before when the new one does not fit', async () => {
    const { berth, folder, pair } = await startSecure()
    const before = await fingerprint(berth.url)
    writeFileSync(path.join(folder, 'tls.key'), makeCertificate().key)
    let metrics = ''
    const looking = setInterval(() => {
      void fetchRaw(`${berth.url}/metrics`, { ca: pair.cert }).then((answer) => (metrics = answer.text()))
    }, 100)
    try {
      await eventually(
        () => metrics.includes('berth_certificates_total{outcome="kept"} 1'),
        () => metrics,
      )
    } finally {
      clearInterval(looking)
    }
    expect(await fingerprint(berth.url)).toBe(before)
  })

  it.each([
    ['TLSv1.1', undefined],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ] as const)('speaks %s: %s', async (version, spoken) => {
    const { berth } = await startSecure()
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    const seen = await shown(berth.url, options).catch(() => undefined)
    expect(seen?.protocol).toBe(spoken)
  })

  it('offers HTTP/1.1 and not HTTP/2', async () => {
    const { berth } = await startSecure()
    expect((await shown(berth.url, { ALPNProtocols: ['h2', 'http/1.1'] })).alpn).toBe('http/1.1')
  })

  it('asks for a certificate of the client where clientCaFile is set', async () => {
    const folder = makeFolder()
    const client = makeCertificate()
    const clientCaFile = path.join(folder, 'clients.crt')
    writeFileSync(clientCaFile, client.cert)
    const { berth } = await startSecure({}, { clientCaFile })
    const curl = (...more: string[]) =>
      runTool('curl', ['--silent', '--show-error', '--noproxy', '*', '--insecure', ...more, `${berth.url}/v2/`])
    await expect(curl()).rejects.toThrow(/certificate required|alert|SSL/i)
    place(folder, client)
    expect((await curl('--cert', path.join(folder, 'tls.crt'), '--key', path.join(folder, 'tls.key'))).stdout).toBe(
      '{}',
    )
  })
})

describe('without TLS', () => {
  it.each([
    ['0.0.0.0:0', {}, /listen: must be an address of loopback where there is no TLS/],
    ['[::]:0', {}, /listen: must be an address of loopback/],
  ])('listening on %s is refused', async (listen, settings, message) => {
    await expect(startBerth({ listen, ...settings })).rejects.toThrow(message)
  })

  it.each([
    ['allowPlainHttp', { allowPlainHttp: true }],
    ['a proxy in front is named', { trustedProxies: ['10.0.0.1'] }],
  ])('listening beyond loopback is taken where %s', async (_, settings) => {
    const berth = await startBerth({ listen: '0.0.0.0:0', ...settings })
    expect((await fetchRaw(`${berth.url.replace('0.0.0.0', '127.0.0.1')}/v2/`)).status).toBe(200)
  })
})

describeTool('mistakes in TLS', { tools: ['openssl'] }, () => {
  it('are told with what was seen', async () => {
    const folder = makeFolder()
    place(folder, makeCertificate())
    writeFileSync(path.join(folder, 'other.key'), makeCertificate().key)
    const [certFile, keyFile] = ['tls.crt', 'other.key'].map((name) => path.join(folder, name))
    await expect(startBerth({ tls: { certFile, keyFile } })).rejects.toThrow(
      /tls\.keyFile: must be the key of the certificate/,
    )
    await expect(startBerth({ tls: { certFile } })).rejects.toThrow(/tls\.keyFile: must be given/)
  })
})

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import tls from 'node:tls'
import { expect, it, vi } from 'vitest'
import { makeCertificate } from '../helpers/certificates.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool } from '../helpers/tools.ts'

type Pair = ReturnType<typeof makeCertificate>

/** Berth that asks for certificates of this CA; `place` puts another text in a file of its, by a rename, as renewers do. */
async function start(ca: string) {
  const folder = makeFolder()
  const place = (name: string, text: string) => {
    writeFileSync(path.join(folder, `${name}.new`), text)
    renameSync(path.join(folder, `${name}.new`), path.join(folder, name))
  }
  const own = makeCertificate()
  for (const [name, text] of [
    ['tls.crt', own.cert],
    ['tls.key', own.key],
    ['clients.crt', ca],
  ] as const)
    place(name, text)
  const [certFile, keyFile, clientCaFile] = ['tls.crt', 'tls.key', 'clients.crt'].map((name) => path.join(folder, name))
  const berth = await startBerth({ tls: { certFile, keyFile, clientCaFile } })
  return { ...berth, place }
}

/** The status of the API's base for a client with this certificate, or `refused` where there is no connection to it. */
async function status(url: string, pair?: Pair, session?: Buffer): Promise<number | 'refused'> {
  const agent = new https.Agent({ rejectUnauthorized: false, ...pair, ...(session && { session }) })
  return fetchRaw(`${url}/v2/`, { agent }).then(
    (answer) => answer.status,
    () => 'refused',
  )
}

/** The same without a certificate, and with each of these. */
const seen = (url: string, ...pairs: Pair[]) => Promise.all([undefined, ...pairs].map((pair) => status(url, pair)))

/** What a new connection is shown, before anything is asked of the client. */
async function shown(url: string): Promise<string> {
  const socket = tls.connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false })
  await once(
    socket.on('error', () => {}),
    'secureConnect',
  )
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

/** What a client keeps of a connection, to be known again without showing its certificate (RFC 8446, 2.2). */
async function sessionOf(url: string, pair: Pair): Promise<Buffer> {
  const socket = tls.connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false, ...pair })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}

describeTool('certificates of clients', { tools: ['openssl'] }, () => {
  it('are asked for by the new CA once its file has changed, without a restart', async () => {
    const [before, after] = [makeCertificate(), makeCertificate()]
    const { url, place } = await start(before.cert)
    expect(await seen(url, before, after)).toEqual(['refused', 200, 'refused'])
    const session = await sessionOf(url, before)
    expect(await status(url, before, session)).toBe(200)

    place('clients.crt', after.cert)
    await vi.waitUntil(async () => (await status(url, after)) === 200, 10_000)
    expect(await seen(url, before, after)).toEqual(['refused', 'refused', 200])
    expect(await status(url, before, session)).toBe('refused')
    expect(await status(url, undefined, session)).toBe('refused')
  })

  it('are still asked for when the certificate of the server has changed', async () => {
    const client = makeCertificate()
    const { url, place } = await start(client.cert)
    const renewed = makeCertificate()
    place('tls.key', renewed.key)
    place('tls.crt', renewed.cert)
    await vi.waitUntil(async () => (await shown(url)) === new X509Certificate(renewed.cert).fingerprint256, 10_000)
    expect(await seen(url, makeCertificate(), client)).toEqual(['refused', 'refused', 200])
  })

  // Of an empty text Node makes all public authorities.
  it.each([
    ['empty', () => ''],
    ['no certificate', () => 'no certificate'],
    ['half a certificate', (ca: string) => ca.slice(0, 200)],
    ['a certificate and a half', (ca: string) => ca + ca.slice(0, 200)],
  ])('are checked as before while the file of the CA is %s', async (_, changed) => {
    const client = makeCertificate()
    const { url, place } = await start(client.cert)
    place('clients.crt', changed(client.cert))
    const agent = new https.Agent({ rejectUnauthorized: false, ...client })
    const metrics = async () => (await fetchRaw(`${url}/metrics`, { agent })).text()
    await vi.waitUntil(async () => (await metrics()).includes('berth_certificates_total{outcome="kept"} 1'), 10_000)
    expect(await seen(url, makeCertificate(), client)).toEqual(['refused', 'refused', 200])
  })

  it.each(['', 'no certificate'])('are no use at start without a CA: %j', async (ca) => {
    await expect(start(ca)).rejects.toThrow(/tls\.clientCaFile: must be certificates in PEM, saw/)
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { makeCertificate } from './certificates.ts'
import { makeFolder } from './folder.ts'
import { toolPath } from './tools.ts'

export async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Pebble {
  /** The directory's URL. */
  readonly directory: string
  /** A file with the CA of its own HTTPS. */
  readonly ca: string
  /** Resolves when it is gone; its port then refuses. */
  stop(): Promise<void>
}

/**
 * A real ACME server on loopback, which asks its questions on `httpPort`; stopped when the running test ends. Its certificates are
 * valid for `validFor` seconds.
 */
export async function startPebble(httpPort: number, validFor = 90 * 24 * 3_600): Promise<Pebble> {
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
      profiles: { default: { description: 'the only one', validityPeriod: validFor } },
    },
  }
  writeFileSync(path.join(folder, 'pebble.json'), JSON.stringify(config))
  const child = spawn(toolPath('pebble'), ['-config', path.join(folder, 'pebble.json')], {
    env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill()
    await ended
  }
  onTestFinished(stop)
  child.stderr.resume()
  child.stdout.setEncoding('utf8')
  for (let log = ''; !log.includes('ACME directory available');) log += String(await once(child.stdout, 'data'))
  child.stdout.resume()
  return { directory: `https://localhost:${port}/dir`, ca: path.join(folder, 'cert.pem'), stop }
}

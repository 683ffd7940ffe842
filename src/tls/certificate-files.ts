import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { ReportCertificate } from './events.ts'
import type { Shown } from './tls.ts'

export interface CertificateFilesOptions {
  certFile: string
  keyFile: string
  clientCaFile: string | undefined
  report: ReportCertificate
  offer: (shown: Shown) => void
}

/** Renewals are a matter of days; links and mounts, by which they often come, tell nobody that they changed. In milliseconds. */
const look = 2_000

/** Reads a certificate from files, and again whenever they change. A pair that does not fit is reported, and the one before goes on. */
export async function certificateFiles(options: CertificateFilesOptions) {
  const { certFile, keyFile, clientCaFile, report, offer } = options
  const files = [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])]
  const first = await readPair(options)
  let seen = await stampOf(files)
  let looking: Promise<void> = Promise.resolve()
  const timer = setInterval(() => void (looking = looking.then(lookAgain)), look).unref()

  async function lookAgain(): Promise<void> {
    const stamp = await stampOf(files)
    if (stamp === seen) return
    seen = stamp
    try {
      offer(await readPair(options))
      report({ type: 'certificate', outcome: 'loaded', message: `${certFile} changed, and is served from now on` })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      report({ type: 'certificate', outcome: 'kept', message: `${why}; the certificate from before is served on` })
    }
  }

  return {
    first,
    stop: async () => {
      clearInterval(timer)
      await looking
    },
  }
}

async function readPair({ certFile, keyFile, clientCaFile }: CertificateFilesOptions): Promise<Shown> {
  const [cert, key, ca] = await Promise.all([certFile, keyFile, clientCaFile].map(readPem))
  try {
    createSecureContext({ cert: cert!, key: key!, ...(ca !== undefined && { ca }) })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`tls.certFile and tls.keyFile must be a certificate and its key in PEM, saw ${why}`, { cause })
  }
  if (ca !== undefined) expectCertificates(ca)
  return { cert: cert!, key: key!, ...(ca !== undefined && { ca }) }
}

/** Node takes a CA that is no certificate for one that issues none, and an empty text for all public authorities. */
function expectCertificates(pem: string): void {
  const each = pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^]*?(?=-----BEGIN |$)/g) ?? [pem]
  try {
    each.forEach((one) => new X509Certificate(one))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`tls.clientCaFile must be certificates in PEM, saw ${why}`, { cause })
  }
}

async function readPem(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : readFile(file, 'utf8')
}

async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    try {
      const { mtimeMs, size, ino } = await stat(file)
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      // On its way to be replaced.
      return 'none'
    }
  })
  return (await Promise.all(stamps)).join(', ')
}

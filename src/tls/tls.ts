// The certificate that Berth shows its clients, from files or by ACME, and what a TLS server needs besides. New ones are
// taken up without a restart.
import type { TlsOptions } from 'node:tls'
import type { AcmeSettings } from './acme.ts'
import { certificateFiles } from './certificate-files.ts'
import type { ReportCertificate } from './events.ts'

export type { CertificateEvent } from './events.ts'

export interface TlsSettings {
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** Clients must show a certificate that one of these issued. */
  readonly clientCaFile?: string | undefined
  readonly acme?: AcmeSettings | undefined
}

/** What is shown to clients, in PEM. */
export interface Shown {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
}

export interface Certificates {
  /** What a server is created with: TLS 1.2 and newer, HTTP/1.1 alone, since a blob is faster over a connection of its own. */
  readonly options: TlsOptions
  /** Calls this with each new certificate from now on. */
  follow(use: (options: TlsOptions) => void): void
  stop(): Promise<void>
}

export interface OpenTlsOptions {
  settings: TlsSettings
  /** Holds the account and the certificates of ACME. */
  data: string
  report: ReportCertificate
  now: () => number
}

const common: TlsOptions = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }

/** Undefined where Berth speaks plain HTTP. Rejects when a file cannot be read or key and certificate do not belong together. */
export async function openTls(options: OpenTlsOptions): Promise<Certificates | undefined> {
  const { settings, data, report, now } = options
  const { certFile, keyFile, clientCaFile, acme } = settings
  const followers: ((options: TlsOptions) => void)[] = []
  const offer = (shown: Shown) => followers.forEach((use) => use({ ...common, ...shown }))
  if (certFile !== undefined && keyFile !== undefined) {
    const files = await certificateFiles({ certFile, keyFile, clientCaFile, report, offer })
    const client = clientCaFile === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
    return { options: { ...common, ...client, ...files.first }, follow: (use) => followers.push(use), stop: files.stop }
  }
  if (!acme) return undefined
  // Loaded where it is asked for: the libraries for it take 25 MiB.
  const { orderedCertificate } = await import('./acme.ts')
  const ordered = await orderedCertificate({ acme, data, report, now, offer })
  return { options: { ...common, ...ordered.first }, follow: (use) => followers.push(use), stop: ordered.stop }
}

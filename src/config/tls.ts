import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { z } from 'zod'
import { httpUrl, listenAddress, listOf, text } from './checks.ts'
import { readText } from './file.ts'
import { defaultGroup, group, option } from './option.ts'

/** The authority asks for a wildcard by DNS alone, and of its challenges it is HTTP-01 alone that is answered here. */
const domainName = text('a domain name without * in it: wildcards cannot be ordered by HTTP-01', /^[^*]+$/)

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

export const tls = defaultGroup({
  certFile: option(
    text('a PEM file').exactOptional(),
    'the certificate with its chain, in PEM; read again when it changes',
    { file: true },
  ),
  keyFile: option(text('a PEM file').exactOptional(), 'its key, in PEM', { file: true }),
  clientCaFile: option(text('a PEM file').exactOptional(), 'clients must show a certificate that one of these issued', {
    file: true,
  }),
  acme: group({
    domains: option(
      listOf(domainName, 'domain names').min(1, { error: 'a list of domain names' }),
      'names of the certificate that is ordered by ACME',
    ),
    email: option(text('an e-mail address').exactOptional(), 'where the authority may write to'),
    directory: option(
      httpUrl("the URL of an ACME authority's directory", true).prefault(letsEncrypt),
      "the authority's directory",
    ),
    listen: option(
      listenAddress().prefault('0.0.0.0:80'),
      'where the authority asks, by plain HTTP: on port 80, or where that leads',
    ),
  }).exactOptional(),
})

// Every value may be one that failed its own check.
interface Given {
  listen?: { host?: unknown }
  allowPlainHttp?: unknown
  trustedProxies?: unknown
  tls?: { certFile?: unknown; keyFile?: unknown; clientCaFile?: unknown; acme?: unknown }
}

/** What concerns several keys: a certificate comes one way, and passwords do not go over a network in the clear by accident. */
export function checkTls(config: unknown, context: z.RefinementCtx): void {
  const { listen, allowPlainHttp, trustedProxies, tls } = config as Given
  const mistake = (path: string[], message: string, saw: string) =>
    context.addIssue({ code: 'custom', path, message, params: { saw } })
  const { certFile, keyFile, clientCaFile, acme } = tls ?? {}
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const missing = certFile === undefined ? 'certFile' : 'keyFile'
    mistake(['tls', missing], 'given where the other of certFile and keyFile is', 'nothing')
  }
  if (acme !== undefined && certFile !== undefined) mistake(['tls', 'acme'], 'left out where certFile is set', 'both')
  if (clientCaFile !== undefined && certFile === undefined)
    mistake(['tls', 'clientCaFile'], 'given with certFile', 'it alone')
  if (typeof certFile === 'string' && typeof keyFile === 'string') {
    const problem = pairProblem(certFile, keyFile)
    if (problem) mistake(['tls', 'keyFile'], 'the key of the certificate in certFile', problem)
  }
  if (typeof clientCaFile === 'string') {
    const problem = certificatesProblem(clientCaFile)
    if (problem) mistake(['tls', 'clientCaFile'], 'certificates in PEM', problem)
  }
  const host = listen?.host
  if (certFile !== undefined || acme !== undefined || typeof host !== 'string' || isLoopback(host)) return
  if (allowPlainHttp === true || (Array.isArray(trustedProxies) && trustedProxies.length > 0)) return
  mistake(
    ['listen'],
    'an address of loopback where there is no TLS: set tls, or trustedProxies where a proxy in front has it, or allowPlainHttp',
    host,
  )
}

/** Why a readable file holds no certificates. */
function certificatesProblem(file: string): string | undefined {
  const content = readText(file)
  if (!('text' in content)) return undefined
  const { text } = content
  try {
    const each = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^]*?(?=-----BEGIN |$)/g) ?? [text]
    each.forEach((one) => new X509Certificate(one))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Why two readable files are no certificate and its key. Unreadable ones are told as such already. */
function pairProblem(certFile: string, keyFile: string): string | undefined {
  const [cert, key] = [readText(certFile), readText(keyFile)]
  if (!('text' in cert) || !('text' in key)) return undefined
  try {
    createSecureContext({ cert: cert.text, key: key.text })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(?:\.\d+){3}$/.test(host)

import { UpstreamError, type UpstreamFailure } from '../oci/errors.ts'
import { codeOf } from './error-code.js'

const timeoutCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])
const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED'])

/** Whether a pooled connection broke before an answer came: the peer had closed it, and asking again is right. */
export function isBrokenSocket(error: unknown): boolean {
  return resetCodes.has(codeOf(error) ?? '')
}

/** An error of the network as an UpstreamError that names the upstream and the host, never a URL (it may be signed). */
export function networkFailure(error: unknown, upstream: string, host: string): UpstreamError {
  if (error instanceof UpstreamError) return error
  const code = codeOf(error)
  const failure = failureOf(error, code)
  const what = { timeout: 'did not answer in time', tls: 'TLS failed' }[failure as string] ?? 'cannot be reached'
  return new UpstreamError(failure, `upstream ${upstream}: ${host} ${what}${code ? ` (${code})` : ''}`, {
    cause: error,
  })
}

function failureOf(error: unknown, code: string | undefined): UpstreamFailure {
  if (code === undefined) return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'unreachable'
  if (timeoutCodes.has(code)) return 'timeout'
  const tls = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_)/
  return tls.test(code) ? 'tls' : 'unreachable'
}

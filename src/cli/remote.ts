import { readFile } from 'node:fs/promises'
import { fetcher, openNetwork } from '../upstream/upstream.ts'
import type { ApiAnswer, ApiRequest, Way } from './api.ts'
import { jsonHeaders, sendPlain } from './http.ts'
import { CommandError } from './io.ts'

export interface RemoteOptions {
  /** As `parseServer` gives it. */
  server: URL
  token: string | undefined
  /** A PEM file of an authority that is trusted beside the usual ones. */
  ca: string | undefined
}

/** A collection takes its time; lists of some hundred thousand lines come in one answer. */
const limits = { deadline: 15 * 60_000, most: 256 * 1024 * 1024 }

/** The admin API of a server elsewhere, by HTTPS; by HTTP on this machine alone, for it carries a token. */
export async function openRemote({ server, token, ca }: RemoteOptions): Promise<Way> {
  const { origin } = server
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { send, close } = server.protocol === 'http:' ? onMachine(server) : await overTls(origin, ca)
  return {
    place: origin,
    isServer: true,
    loginHint: ` (berth login ${origin}, or a token in BERTH_TOKEN)`,
    async send(request) {
      try {
        return await send(request, headers)
      } catch (cause) {
        throw new CommandError(problemWith(origin, cause as NodeJS.ErrnoException), { cause })
      }
    },
    close,
  }
}

interface Sender {
  readonly send: (request: ApiRequest, headers: Record<string, string>) => Promise<ApiAnswer>
  readonly close: () => Promise<void>
}

/** Never by a proxy: the token would go out in the clear. */
function onMachine({ hostname, port }: URL): Sender {
  const host = hostname.replace(/^\[|\]$/g, '')
  return { send: (request, headers) => sendPlain({ host, port: port || 80 }, request, headers), close: async () => {} }
}

async function overTls(origin: string, ca: string | undefined): Promise<Sender> {
  const trusted = ca === undefined ? {} : { extraCa: await readCa(ca) }
  const network = openNetwork({ ...trusted, timeouts: { headers: limits.deadline, idle: limits.deadline } })
  const ask = fetcher(network, limits)
  return {
    async send({ method, path, body }, headers) {
      const all = { ...headers, ...jsonHeaders(body) }
      const answer = await ask(origin + path, { method, headers: all, body })
      return { status: answer.status, text: await answer.text() }
    },
    close: () => network.close(),
  }
}

async function readCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(`--ca must be a PEM file that can be read: ${cause.message}`, { cause, exitCode: 2 })
  })
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new CommandError(`--ca must be a PEM file of certificates, saw none in ${file}`, { exitCode: 2 })
}

function problemWith(origin: string, { code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return `nothing listens at ${origin}: is the server running, and is this its address?`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${origin} has no address: is its name right?`
  if (/TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(code)) return `${origin} cannot be reached (${message})`
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(code)) {
    return `the certificate of ${origin} is not trusted (${message}): --ca FILE names the authority that issued it`
  }
  if (/^(?:ERR_SSL|EPROTO)/.test(code))
    return `${origin} does not speak TLS (${code}): is it the right port, and not plain HTTP?`
  return `${origin} did not answer: ${message}`
}

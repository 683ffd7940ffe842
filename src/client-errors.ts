import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What Node's parser refuses, by the error it gives: status, the specification's code, and what to do. */
const refusals: Record<string, [status: number, code: string, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'SIZE_INVALID', 'the path and the headers of a request must have at most 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'UNSUPPORTED', 'the headers of a request must come within 20 seconds'],
}

/** Answers a request that could not be read, as any other error is answered, and ends its connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Whoever is in the middle of an answer must not find another one in it.
  const running = runningOn(socket)
  if (!socket.writable || error.code === 'ECONNRESET' || running?.headersSent) return void socket.destroy()
  const unreadable = [400, 'UNSUPPORTED', 'this is no HTTP/1.1 request that can be read; is it TLS?'] as const
  const [status, code, message] = refusals[error.code ?? ''] ?? unreadable
  const body = JSON.stringify({ errors: [{ code, message }] })
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Docker-Distribution-Api-Version: registry/2.0',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

/** Ends a connection over which nothing has come or gone for long, unless all was asked and the answer is ours to give. */
export function endIdle(socket: Socket): void {
  const running = runningOn(socket)
  if (!running?.req.complete || running.headersSent) return void socket.destroy()
  // A timeout comes once.
  socket.setTimeout(socket.timeout ?? 0)
}

/** The answer a connection waits for. Node's own answers to what it cannot read look here, too. */
function runningOn(socket: Duplex): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

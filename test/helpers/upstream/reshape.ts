import { gzipSync } from 'node:zlib'
import { makeBytes } from '../bytes.ts'
import { errorAnswer, textAnswer, wholeOf, type Answer, type Headers } from './answer.ts'
import type { Quirks } from './quirks.ts'

// Quirks that any answer can have, whoever decided it.

export function withErrorBody(answer: Answer, form: Quirks['errorBodies']): Answer {
  if (answer.status < 400 || form === undefined) return answer
  const headers = without(answer.headers, 'content-type', 'content-length')
  if (form === 'empty') return { status: answer.status, headers: { ...headers, 'content-length': '0' } }
  if (form === 'text') return textAnswer(answer.status, 'something is wrong', headers)
  if (form === 'unknownCode') return errorAnswer(answer.status, 'UNKNOWN', 'Not Found', headers)
  const page = `<html><body><h1>${answer.status}</h1></body></html>`
  return textAnswer(answer.status, page, { 'content-type': 'text/html', ...headers })
}

/** Compressed, but for large blobs. */
export function gzipped(answer: Answer): Answer {
  const { body } = answer
  if (!body || answer.status !== 200 || body.bytes.size > 4 * 1024 * 1024) return answer
  const bytes = makeBytes(gzipSync(body.bytes.read()))
  const headers = { ...without(answer.headers, 'content-length'), 'content-encoding': 'gzip' }
  return { ...answer, headers: { ...headers, 'content-length': String(bytes.size) }, body: wholeOf(bytes) }
}

export function withoutLength(answer: Answer): Answer {
  return { ...answer, headers: without(answer.headers, 'content-length') }
}

function without(headers: Headers, ...names: string[]): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

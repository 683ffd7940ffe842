import { makeBytes, type Bytes } from '../bytes.ts'

/** A part of some content: bytes `start` up to `end`. */
export interface Body {
  readonly bytes: Bytes
  readonly start: number
  readonly end: number
}

/** What a handler decided; sending it (shaped, faulty or not) is send.ts's work. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body?: Body
  /** The digest of the content that the body is a part of, when it is content. */
  readonly digest?: string
}

export type Headers = Record<string, string | string[]>

export function jsonAnswer(status: number, json: unknown, headers: Headers = {}): Answer {
  return textAnswer(status, JSON.stringify(json), { 'content-type': 'application/json', ...headers })
}

export function textAnswer(status: number, text: string, headers: Headers = {}): Answer {
  const bytes = makeBytes(text)
  const all = { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(bytes.size), ...headers }
  return { status, headers: all, body: wholeOf(bytes) }
}

/** An error as the distribution specification formats it. */
export function errorAnswer(status: number, code: string, message: string, headers: Headers = {}): Answer {
  return jsonAnswer(status, { errors: [{ code, message }] }, headers)
}

export function wholeOf(bytes: Bytes): Body {
  return { bytes, start: 0, end: bytes.size }
}

import { expect, it } from 'vitest'
import type { ErrorCode } from '../../src/oci/errors.ts'
import { fetchRaw, type Received } from './http.ts'

/** One request and its answer. What a row leaves out is not looked at. */
export interface Row {
  /** A claim; by the specification's endpoint id where it has one. */
  name: string
  method?: string
  /** The request target, sent as it is. */
  path: string
  headers?: Record<string, string | string[]>
  status: number
  /** Header -> its value, what it matches, or `undefined` for a header that must not be there. */
  want?: Record<string, string | RegExp | undefined>
  /** The body: its text, its bytes, or what its JSON holds. */
  body?: string | Uint8Array | object
  /** The code of the one error in the body. */
  code?: ErrorCode
}

/** Declares a test for each row, and for each GET another: HEAD has the same status and headers, and no body. */
export function testApi(url: () => string, rows: readonly Row[]): void {
  for (const row of rows) {
    it(row.name, async () => expectAnswer(row, await send(url(), row)))
    if ((row.method ?? 'GET') !== 'GET' || row.headers?.range) continue
    it(`${row.name}: HEAD is the same without a body`, async () => {
      const get = await send(url(), row)
      const head = await send(url(), { ...row, method: 'HEAD' })
      expect(head.raw.length).toBe(0)
      expect(comparable(head)).toEqual(comparable(get))
      if (row.status !== 304) expect(head.headers['content-length']).toBe(String(get.raw.length))
    })
  }
}

function send(url: string, { method = 'GET', path, headers = {} }: Row): Promise<Received> {
  return fetchRaw(url, { method, path, headers })
}

function expectAnswer({ status, want = {}, body, code }: Row, answer: Received): void {
  expect([answer.status, answer.complete]).toEqual([status, true])
  for (const [name, value] of Object.entries(want)) {
    const seen = answer.headers[name.toLowerCase()]
    if (value instanceof RegExp) expect(String(seen), name).toMatch(value)
    else expect(seen, name).toBe(value)
  }
  if (typeof body === 'string') expect(answer.text()).toBe(body)
  else if (body instanceof Uint8Array) expect(answer.raw.equals(body)).toBe(true)
  else if (body) expect(answer.json()).toEqual(body)
  if (code) expectError(answer, code)
}

/** The specification's form of an error: one code, a message in words, and the type and length of the JSON. */
export function expectError(answer: Received, code: ErrorCode): void {
  expect(answer.headers['content-type']).toBe('application/json')
  expect(answer.headers['content-length']).toBe(String(answer.raw.length))
  const { errors } = answer.json() as { errors: { code: string; message: string }[] }
  expect(errors.map((error) => error.code)).toEqual([code])
  expect(errors[0]?.message).toMatch(/\w+ \w+/)
}

function comparable({ status, headers }: Received): object {
  const { date: _, ...others } = headers
  return { status, headers: others }
}

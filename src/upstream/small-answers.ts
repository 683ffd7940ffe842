import type { Network } from './network.ts'

export interface AnswerLimits {
  /** Until the whole answer is there, in milliseconds. */
  deadline: number
  /** Bytes. */
  most: number
}

/** A client waits for it with its login. */
const usual: AnswerLimits = { deadline: 5_000, most: 512 * 1024 }

/** What libraries that bring a protocol ask for, of what `fetch` takes. */
export interface SmallRequest {
  method?: string
  headers?: Record<string, string>
  body?: unknown
  signal?: AbortSignal | undefined
}

/**
 * Asks hosts that the operator has configured. Follows no redirect; rejects when there is no whole answer within the limits: 5 s
 * and 512 KiB, if not given.
 */
export function fetcher(
  network: Network,
  { deadline, most }: AnswerLimits = usual,
): (url: string, asked?: SmallRequest) => Promise<Response> {
  return async (url, { method = 'GET', headers = {}, body, signal } = {}) => {
    // Loaded when it is needed: most never send one.
    const { request } = await import('undici')
    const answer = await request(url, {
      method,
      headers,
      body: body === undefined || body === null ? null : textOf(body),
      signal: AbortSignal.any([AbortSignal.timeout(deadline), ...(signal ? [signal] : [])]),
      dispatcher: network.open.pooled,
    })
    const bytes = await wholeBody(url, answer.body, most)
    const fields = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')] as const)
    const isEmpty = [204, 205, 304].includes(answer.statusCode)
    return new Response(isEmpty ? null : bytes, {
      status: answer.statusCode,
      headers: fields.map((field) => [...field]),
    })
  }
}

/** Reads JSON, as `fetcher` does; rejects for all but 200 and JSON. */
export function jsonGetter(network: Network): (url: string) => Promise<unknown> {
  const fetch = fetcher(network)
  return async (url) => {
    const answer = await fetch(url, { headers: { accept: 'application/json' } })
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
    return answer.json()
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a body must be a text or a form')
}

async function wholeBody(url: string, body: AsyncIterable<Buffer>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > most) throw new Error(`${url} answered more than ${most} bytes`)
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

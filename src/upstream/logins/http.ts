export interface JsonRequest {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string>
}

const deadline = 15_000

/**
 * The JSON of a cloud's login service. Throws what it answered, but nothing of the body: it may repeat what was sent.
 * Goes out directly: metadata servers are next door, and answer to nobody who comes through a proxy.
 */
export async function requestJson(url: string | URL, { method = 'GET', headers = {}, form }: JsonRequest) {
  const target = new URL(url)
  const type = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
  // Loaded when it is needed: most never send one.
  const { request } = await import('undici')
  const { statusCode, body } = await request(target, {
    method,
    headers: { accept: 'application/json', ...type, ...headers },
    ...(form && { body: new URLSearchParams(form).toString() }),
    signal: AbortSignal.timeout(deadline),
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`${target.host} answered ${statusCode}${codeIn(text)}`)
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw new Error(`${target.host} answered something that is no JSON`)
  }
}

/** The error's code as OAuth 2 has it (RFC 6749, 5.2): a word, and none of ours. */
function codeIn(text: string): string {
  const [, code] = /"error"\s*:\s*"([a-z_]{1,60})"/.exec(text) ?? []
  return code === undefined ? '' : ` (${code})`
}

/** A text that an answer must have. */
export function textIn(answer: Record<string, unknown>, key: string, who: string): string {
  const value = answer[key]
  if (typeof value !== 'string' || value === '') throw new Error(`${who} gave no ${key}`)
  return value
}

export function secondsIn(answer: Record<string, unknown>, key: string, otherwise: number): number {
  const value = Number(answer[key])
  return Number.isFinite(value) && value > 0 ? value : otherwise
}

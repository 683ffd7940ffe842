import type { Network } from './network.ts'

/** Milliseconds; a client waits for it with its login. */
const deadline = 5_000
/** Bytes. */
const most = 512 * 1024

/** Reads JSON from a host that the operator has configured. Follows no redirect; rejects for all but 200 and JSON within 5 s. */
export function jsonGetter(network: Network): (url: string) => Promise<unknown> {
  return async (url) => {
    const headers = { accept: 'application/json' }
    const signal = AbortSignal.timeout(deadline)
    // Loaded when it is needed: most never send one.
    const { request } = await import('undici')
    const answer = await request(url, { headers, signal, dispatcher: network.open.pooled })
    if (answer.statusCode !== 200) {
      await answer.body.dump({ limit: 64 * 1024 })
      throw new Error(`${url} answered ${answer.statusCode}`)
    }
    const parts: Buffer[] = []
    let length = 0
    for await (const part of answer.body as AsyncIterable<Buffer>) {
      length += part.length
      if (length > most) throw new Error(`${url} answered more than ${most} bytes`)
      parts.push(part)
    }
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  }
}

import type { Network } from './network.ts'

const deadline = 15_000

/**
 * Sends a POST to a host that the operator has configured, and resolves with the status. Follows no redirect; rejects when there
 * is no answer in 15 s, and when `stop` is aborted.
 */
export function poster(
  network: Network,
): (url: string, headers: Record<string, string>, body: string, stop: AbortSignal) => Promise<number> {
  return async (url, headers, body, stop) => {
    const signal = AbortSignal.any([AbortSignal.timeout(deadline), stop])
    // Loaded when it is needed: most never send one.
    const { request } = await import('undici')
    const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: network.open.pooled })
    await answer.body.dump({ limit: 64 * 1024 })
    return answer.statusCode
  }
}

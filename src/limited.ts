import type { HttpBindings } from '@hono/node-server'
import type { IncomingMessage } from 'node:http'
import type { AccessEvent, Traffic, TurnedAway } from './access/access.ts'
import type { Fetch } from './listen.ts'

export interface LimitedOptions {
  traffic: Traffic
  /** The client's address, also where a trusted proxy stands between. */
  addressOf: (incoming: IncomingMessage) => string | undefined
  report: (event: AccessEvent) => void
}

const messages = {
  'at once': 'too many requests of this client are running (limits.requestsAtOnce): wait until some have ended',
  'per second': 'too many requests of this client came within a short time (limits.requestsPerSecond)',
}

/** Holds back who asks for more than one client may have, and then turns it away in the way that clients of registries know (429). */
export function limited(fetch: Fetch, { traffic, addressOf, report }: LimitedOptions): Fetch {
  return (request, bindings) => {
    if (isProbe(bindings)) return fetch(request, bindings)
    const { incoming, outgoing } = bindings
    const address = addressOf(incoming) ?? ''
    const go = (away: TurnedAway | undefined) => {
      if (away) {
        report({ type: 'turned-away', why: away.why })
        return answer(away)
      }
      // It may have left while it was held back.
      if (outgoing.closed) traffic.leave(address)
      else outgoing.on('close', () => traffic.leave(address))
      return fetch(request, bindings)
    }
    const entered = traffic.enter(address)
    return entered instanceof Promise ? entered.then(go) : go(entered)
  }
}

/** Whoever watches over the process must not take it for dead because somebody at the same address asks for much. */
const isProbe = ({ incoming: { url } }: HttpBindings): boolean => url === '/healthz' || url === '/readyz'

function answer({ why, wait }: TurnedAway): Response {
  const body = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: messages[why] }] })
  const headers = {
    'Docker-Distribution-Api-Version': 'registry/2.0',
    'Content-Type': 'application/json',
    'Retry-After': String(Math.ceil(wait / 1_000)),
    // What comes of a refused upload is not read: the connection ends with the answer.
    Connection: 'close',
  }
  return new Response(body, { status: 429, headers })
}

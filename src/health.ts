import { Hono } from 'hono'
import type { IncomingMessage } from 'node:http'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { HttpBindings } from '@hono/node-server'
import type { Access } from './access/access.ts'
import { RegistryError } from './oci/errors.ts'
import type { Metrics } from './telemetry/telemetry.ts'

export interface HealthOptions {
  metrics: Metrics
  /** Rejects with what is in the way. */
  ready: () => Promise<unknown>
  access: Access
  /** The client's address, also where a trusted proxy stands between. */
  addressOf: (incoming: IncomingMessage) => string | undefined
}

/**
 * For those who watch over the process: /healthz (it lives), /readyz (it can serve), /metrics. None of them is logged.
 * Figures tell what passes through here: where there are users they are for those who log in, a robot by its token.
 */
export function healthApp({ metrics, ready, access, addressOf }: HealthOptions): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get('/healthz', (c) => c.text('ok\n'))
  app.get('/readyz', async (c) => {
    try {
      await ready()
      return c.text('ready\n')
    } catch (error) {
      return c.text(`not ready: ${error instanceof Error ? error.message : 'unknown'}\n`, 503)
    }
  })
  app.get('/metrics', async (c) => {
    const { incoming } = c.env
    const refusal = await refusalOf(access, incoming.headers.authorization, addressOf(incoming))
    if (refusal) return c.text(`${refusal.message}\n`, refusal.status as ContentfulStatusCode, refusal.headers)
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'Content-Type': contentType })
  })
  return app
}

async function refusalOf(
  access: Access,
  authorization: string | undefined,
  address: string | undefined,
): Promise<RegistryError | undefined> {
  try {
    const identity = await access.identify(authorization, address)
    if (access.mayWatch(identity)) return undefined
    const challenge = { 'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"' }
    return new RegistryError('UNAUTHORIZED', 'log in to see figures', { headers: challenge })
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
}

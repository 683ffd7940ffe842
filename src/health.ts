import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Access } from './access/access.ts'
import type { Metrics } from './telemetry/telemetry.ts'

export interface HealthOptions {
  metrics: Metrics
  /** Rejects with what is in the way. */
  ready: () => Promise<unknown>
  access: Access
}

/**
 * For those who watch over the process: /healthz (it lives), /readyz (it can serve), /metrics. None of them is logged.
 * Figures tell what passes through here: where there are users they are for those who log in, a robot by its token.
 */
export function healthApp({ metrics, ready, access }: HealthOptions): Hono<{ Bindings: HttpBindings }> {
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
    const { authorization } = c.env.incoming.headers
    const identity = await access.identify(authorization, c.env.incoming.socket.remoteAddress)
    if (!access.mayWatch(identity)) {
      return c.text('log in to see figures\n', 401, { 'WWW-Authenticate': 'Basic realm="Berth", charset="UTF-8"' })
    }
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'Content-Type': contentType })
  })
  return app
}

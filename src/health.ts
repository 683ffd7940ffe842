import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Metrics } from './telemetry/telemetry.ts'

/** For those who watch over the process: /healthz (it lives), /readyz (it can serve), /metrics. None of them is logged. */
export function healthApp(metrics: Metrics, ready: () => Promise<unknown>): Hono<{ Bindings: HttpBindings }> {
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
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'Content-Type': contentType })
  })
  return app
}

// Logs and metrics: the edge where what rooms tell becomes lines and numbers. Changes nothing of what they do.
import type { Event } from './events.ts'
import { logEvents, openLog, type LogLevel } from './log.ts'
import { createMetrics, type Metrics, type Readings } from './metrics.ts'

export type { Event } from './events.ts'
export type { Metrics } from './metrics.ts'

export interface Telemetry {
  report(event: Event): void
  readonly metrics: Metrics
  /** Writes out what waits to be logged. */
  flush(): void
}

export function createTelemetry(level: LogLevel, readings: Readings): Telemetry {
  const log = openLog(level)
  const logEvent = logEvents(log.logger)
  const metrics = createMetrics(readings)
  return {
    report(event) {
      metrics.count(event)
      logEvent(event)
    },
    metrics,
    flush: () => log.flush(),
  }
}

// Logs, metrics, figures: the edge where what rooms tell becomes lines and numbers. Changes nothing of what they do.
import type { SpendingSum } from '../metadata/metadata.ts'
import { Conditions } from './conditions.ts'
import type { Event } from './events.ts'
import { Figures, type FiguresOptions } from './figures.ts'
import { logEvents, openLog, type LogLevel } from './log.ts'
import { createMetrics, type Metrics, type Readings } from './metrics.ts'
import { Spending } from './spending.ts'

export type { Problem, UpstreamCondition } from './conditions.ts'
export type { Event } from './events.ts'
export type { Metrics } from './metrics.ts'

export interface Telemetry {
  report(event: Event): void
  readonly metrics: Metrics
  readonly conditions: Conditions
  /** Writes out what waits to be logged or kept. */
  stop(): Promise<void>
}

export interface TelemetryOptions {
  level: LogLevel
  readings: Readings
  figures: FiguresOptions
  spent: (sums: SpendingSum[]) => Promise<void>
  now: () => number
}

export function createTelemetry({ level, readings, figures: keeping, spent, now }: TelemetryOptions): Telemetry {
  const log = openLog(level)
  const logEvent = logEvents(log.logger)
  const metrics = createMetrics(readings)
  const figures = new Figures(keeping)
  const spending = new Spending(spent)
  const conditions = new Conditions(now)
  return {
    report(event) {
      metrics.count(event)
      logEvent(event)
      figures.count(event)
      spending.count(event)
      // What comes with every pull says nothing of how things stand.
      if (event.type !== 'request' && event.type !== 'lookup') conditions.note(event)
    },
    metrics,
    conditions,
    async stop() {
      await figures.stop()
      await spending.stop()
      log.flush()
    },
  }
}

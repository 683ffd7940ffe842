import { z } from 'zod'
import { optional, strings, time } from './schemas.ts'

// What the admin API takes and gives of warm lists.

export const warmOrder = z.object({
  references: strings,
  limit: z.number().int().min(1).max(1000).meta({ description: 'most tags of a pattern' }),
  order: z.enum(['version', 'pulls']).meta({ description: 'which tags of a pattern come first' }),
  platforms: strings,
})

export const warmRun = z
  .object({
    id: z.number(),
    list: optional(z.string()).meta({ description: 'absent where somebody named references by hand' }),
    order: warmOrder,
    startedAt: time,
    endedAt: optional(time),
    outcome: optional(z.enum(['ok', 'failed', 'spared', 'stopped'])).meta({
      description: 'absent while it goes on; spared: pulls were left to people',
    }),
    bytes: z.number().meta({ description: 'of blobs that were not here before' }),
    references: z
      .array(
        z.object({
          reference: z.string(),
          outcome: z.enum(['waiting', 'running', 'ok', 'failed', 'spared']),
          message: optional(z.string()).meta({ description: 'why it is not ok' }),
          bytes: z.number(),
          at: optional(time),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'WarmRun' })

export const warmList = warmOrder
  .extend({
    name: z.string(),
    schedule: optional(z.string()).meta({ description: "cron's, in UTC" }),
    nextAt: optional(time),
    run: optional(warmRun).meta({ description: 'the run that goes on, else the last one' }),
  })
  .meta({ id: 'WarmList' })
